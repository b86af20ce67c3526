namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>Where a field stands in the manifest, as errors name it.</summary>
internal static class FieldPath
{
    private const int MaxShown = 64;

    /// <summary>A key of any length or content may come in; as part of a path it is cut and stays on one line.</summary>
    public static string Join(string parent, string key)
    {
        var shown = new string([.. key.Take(MaxShown).Select(c => char.IsControl(c) ? '?' : c)]);
        return parent.Length == 0 ? shown : $"{parent}.{shown}";
    }
}
