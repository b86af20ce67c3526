using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>One entry of <c>volumes</c>, in its short or its long spelling.</summary>
/// <param name="Type">bind, volume, tmpfs, or another word.</param>
/// <param name="Source">With its variables filled in; null for a volume without a name.</param>
/// <param name="Raw">The source as written: of two that are not known, the same ones are the same folder.</param>
internal sealed record MountText(string Type, string? Source, string Raw, string Target, bool IsReadOnly)
{
    public long? Bytes { get; init; }

    /// <returns>Null where it is none.</returns>
    public static MountText? Read(ImportContext context, Field field) => field.Value switch
    {
        ManifestNode.Scalar scalar => Short(context, field, scalar.Text),
        ManifestNode.Mapping => Long(context, field),
        _ => null,
    };

    private static MountText? Short(ImportContext context, Field field, string text)
    {
        var raw = Split(text.Trim());
        if (raw.Count > 3) return null;
        var parts = raw.Select(p => context.HostPath(p, field)).ToList();
        if (parts.Count == 1) return parts[0].StartsWith('/') ? new MountText("volume", null, "", parts[0], false) : null;
        var source = parts[0];
        var isBind = source.Length == 0 || source.StartsWith('.') || source.StartsWith('/') || source.StartsWith('~') || source.Contains('\\')
            || IsDrive(source);
        return new MountText(isBind ? "bind" : "volume", source, raw[0], parts[1], parts.Count == 3 && parts[2].Split(',').Contains("ro"));
    }

    private static MountText? Long(ImportContext context, Field field)
    {
        var type = Text("type") ?? "volume";
        if ((Text("target") ?? Text("destination") ?? Text("dst")) is not { } target) return null;
        var raw = (field.Find("source") ?? field.Find("src"))?.Value is ManifestNode.Scalar scalar ? scalar.Text : "";
        var source = raw.Length == 0 ? null : context.HostPath(raw, field);
        var size = field.Find("tmpfs") is { } memory && memory.Find("size") is { } s && context.Single(s) is { } text ? ComposeValues.Bytes(text) : null;
        var isReadOnly = field.Find("read_only") is { } r && context.Truth(r) == true;
        return new MountText(type, type == "bind" ? source ?? "." : source, raw, target, isReadOnly) { Bytes = size };

        string? Text(string key) => field.Find(key) is { Value: ManifestNode.Scalar { IsNull: false } value } f ? context.HostPath(value.Text, f) : null;
    }

    /// <summary>At colons that stand in no variable and behind no drive's letter.</summary>
    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var (from, depth) = (0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '{') depth++;
            else if (text[i] == '}') depth = Math.Max(0, depth - 1);
            else if (text[i] == ':' && depth == 0 && !(i == 1 && text.Length > 2 && text[2] is '\\' or '/' && char.IsAsciiLetterUpper(text[0])))
            {
                parts.Add(text[from..i]);
                from = i + 1;
            }
        }
        parts.Add(text[from..]);
        return parts;
    }

    private static bool IsDrive(string text) => text.Length > 2 && char.IsAsciiLetter(text[0]) && text[1] == ':';
}
