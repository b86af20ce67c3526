using System.Buffers;
using System.Text;

namespace Piccolo.Core.Http;

/// <summary>The letters of header fields (RFC 9110, 5).</summary>
public static class FieldText
{
    private static readonly SearchValues<byte> Token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> Control = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Where(b => b != '\t').Append(0x7f).Select(b => (byte)b)]);

    /// <summary>Whether a name is spelled right: a token.</summary>
    public static bool IsName(ReadOnlySpan<byte> name) => !name.IsEmpty && !name.ContainsAnyExcept(Token);

    /// <summary>Whether a value, or a reason phrase, has no control character but tabs. Bytes beyond ASCII are opaque.</summary>
    public static bool IsValue(ReadOnlySpan<byte> value) => !value.ContainsAny(Control);

    /// <summary>Whether a name or an option is this one, whatever its case.</summary>
    public static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> expected) => text.Length == expected.Length && Ascii.EqualsIgnoreCase(text, expected);

    /// <summary>Without spaces and tabs around it.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t"u8);

    /// <summary>Takes the next member of a list with commas; empty ones do not count.</summary>
    public static bool NextOf(ref ReadOnlySpan<byte> list, out ReadOnlySpan<byte> member)
    {
        while (!list.IsEmpty)
        {
            var comma = list.IndexOf((byte)',');
            member = Trim(comma < 0 ? list : list[..comma]);
            list = comma < 0 ? default : list[(comma + 1)..];
            if (!member.IsEmpty) return true;
        }
        member = default;
        return false;
    }
}
