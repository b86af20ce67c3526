using System.Collections.Immutable;
using System.Text;

namespace Piccolo.Demo.Prove;

/// <summary>A secret that was planted or is known, in every form in which its bytes could lie somewhere.</summary>
public sealed record Canary(string Name, ImmutableArray<byte[]> Forms)
{
    /// <summary>UTF-8 as on wires and disks, UTF-16 as in the runtime's strings, and as base64 would carry it.</summary>
    public static Canary OfText(string name, string text) =>
        new(name, [Encoding.UTF8.GetBytes(text), Encoding.Unicode.GetBytes(text),
            Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('='))]);

    /// <summary>Both byte orders (OpenSSL keeps numbers the other way round), and hexadecimal and base64 text.</summary>
    public static Canary OfKey(string name, byte[] key) => new(name,
    [
        key,
        [.. Enumerable.Reverse(key)],
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key)),
        Encoding.ASCII.GetBytes(Convert.ToHexString(key)),
        Encoding.ASCII.GetBytes(Convert.ToBase64String(key).TrimEnd('=')),
    ]);

    public int LongestForm => Forms.Max(f => f.Length);
}

/// <summary>A canary that was found.</summary>
/// <param name="Form">Which of its forms, in the order of <see cref="Canary.Forms"/>.</param>
public sealed record Leak(string Place, string Canary, int Form);
