using System.Globalization;
using System.Net;

namespace Piccolo.Core.Primitives;

/// <summary>
/// A host name in its one normal form: ASCII (IDNA), lower case, no trailing dot, 1 to 253 octets, labels of letters, digits and inner hyphens
/// (RFC 1123). Never an address literal. Compares by value.
/// </summary>
public sealed record DomainName
{
    /// <summary>Of the whole name, dots included (RFC 1035, 2.3.4, without the root's).</summary>
    public const int MaxLength = 253;

    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    private DomainName(string value) => Value = value;

    public string Value { get; }

    public static DomainName Parse(string text) =>
        TryParse(text, out var name) ? name : throw new FormatException($"'{text}' is not a host name.");

    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out DomainName? name)
    {
        name = null;
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxLength + 1) return false;
        var trimmed = text.Trim();
        if (trimmed.EndsWith('.')) trimmed = trimmed[..^1];
        if (!TryToAscii(trimmed, out var ascii) || ascii.Length is 0 or > MaxLength) return false;
        if (!ascii.Split('.').All(IsLabel) || IPAddress.TryParse(ascii, out _)) return false;
        name = new DomainName(ascii);
        return true;
    }

    /// <summary>Whether <paramref name="label"/> may stand between two dots of a host name.</summary>
    public static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-'
        && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <summary>Whether this name has at least one dot, as every public name has.</summary>
    public bool IsQualified => Value.Contains('.', StringComparison.Ordinal);

    public bool IsSubdomainOf(DomainName parent) => Value.EndsWith("." + parent.Value, StringComparison.Ordinal);

    /// <returns>Null where the whole would be longer than a name may be, or the label is none.</returns>
    public DomainName? TryPrepend(string label) => TryParse(label + "." + Value, out var name) ? name : null;

    public override string ToString() => Value;

    private static bool TryToAscii(string text, out string ascii)
    {
        ascii = text.ToLowerInvariant();
        if (System.Text.Ascii.IsValid(ascii)) return true;
        try
        {
            ascii = Idn.GetAscii(ascii).ToLowerInvariant();
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
