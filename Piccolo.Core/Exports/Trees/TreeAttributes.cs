using System.Buffers.Text;
using System.Formats.Tar;
using System.Globalization;
using System.Text;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports.Trees;

/// <summary>
/// What an entry keeps beyond a tar's own fields, which have no room for it: owners of 32 bits, times to the nanosecond, extended attributes, holes. These are
/// attributes of the pax format under a prefix of ours; a program that unpacks tars skips them.
/// </summary>
internal static class TreeAttributes
{
    public const string Owner = Prefix + "owner";
    public const string Changed = Prefix + "mtime";

    /// <summary>The file's length with its holes; the entry's data then begins with the map of its parts.</summary>
    public const string Holes = Prefix + "holes";

    /// <summary>The file has several names, and entries behind this one link to it.</summary>
    public const string Linked = Prefix + "linked";

    private const string Prefix = "PICCOLO.";
    private const string Extended = Prefix + "xattr.";

    /// <summary>Ours, in the order of their names.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Of(TarEntry entry) => entry is PaxTarEntry pax
        ? pax.ExtendedAttributes.Where(a => a.Key.StartsWith(Prefix, StringComparison.Ordinal)).OrderBy(a => a.Key, StringComparer.Ordinal)
        : [];

    public static Dictionary<string, string> From(FileDetails details, IEnumerable<ExtendedAttribute> extended)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Owner] = string.Create(CultureInfo.InvariantCulture, $"{details.User}:{details.Group}"),
            [Changed] = string.Create(CultureInfo.InvariantCulture, $"{details.Seconds}.{details.Nanoseconds:D9}"),
        };
        // Names and values of gocryptfs are text, those of access lists are not; and a key must not have an equals sign.
        foreach (var (name, value) in extended)
            attributes[Extended + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(name))] = Base64Url.EncodeToString(value);
        return attributes;
    }

    /// <exception cref="FormatException">It is not what <see cref="From"/> writes.</exception>
    public static (uint User, uint Group) OwnerOf(PaxTarEntry entry) => Text(entry, Owner).Split(':') is [var user, var group]
        ? (uint.Parse(user, NumberStyles.None, CultureInfo.InvariantCulture), uint.Parse(group, NumberStyles.None, CultureInfo.InvariantCulture))
        : throw new FormatException("An entry has no owner.");

    /// <exception cref="FormatException">It is not what <see cref="From"/> writes.</exception>
    public static (long Seconds, uint Nanoseconds) ChangedOf(PaxTarEntry entry) => Text(entry, Changed).Split('.') is [var seconds, { Length: 9 } rest]
        ? (long.Parse(seconds, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), uint.Parse(rest, NumberStyles.None, CultureInfo.InvariantCulture))
        : throw new FormatException("An entry has no time.");

    /// <exception cref="FormatException">It is not what <see cref="From"/> writes.</exception>
    public static long? LengthWithHoles(PaxTarEntry entry) =>
        entry.ExtendedAttributes.TryGetValue(Holes, out var text) ? long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;

    /// <exception cref="FormatException">It is not what <see cref="From"/> writes.</exception>
    public static IEnumerable<ExtendedAttribute> ExtendedOf(PaxTarEntry entry) =>
        Of(entry).Where(a => a.Key.StartsWith(Extended, StringComparison.Ordinal)).Select(a => new ExtendedAttribute(
            Encoding.UTF8.GetString(Base64Url.DecodeFromChars(a.Key.AsSpan(Extended.Length))), Base64Url.DecodeFromChars(a.Value)));

    private static string Text(PaxTarEntry entry, string name) =>
        entry.ExtendedAttributes.TryGetValue(name, out var text) ? text : throw new FormatException($"An entry has no {name}.");
}
