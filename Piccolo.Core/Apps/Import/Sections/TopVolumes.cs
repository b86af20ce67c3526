using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;

namespace Piccolo.Core.Apps.Import.Sections;

/// <summary>The volumes at the top of the file, and those that cannot be volumes of the app.</summary>
internal sealed class TopVolumes
{
    private readonly Dictionary<string, string> _refused = new(StringComparer.Ordinal);

    public void Read(ImportContext context, Field field)
    {
        foreach (var volume in field.Items()) ReadOne(context, volume);
        if (field.Value.IsEmpty) context.Report.Add(field, ImportVerdict.Taken, "There are none.");
    }

    public string? ReasonAgainst(string name) => _refused.GetValueOrDefault(name);

    private void ReadOne(ImportContext context, Field volume)
    {
        var driver = volume.Find("driver") is { } d ? context.Single(d) : null;
        var isExternal = volume.Find("external") is { } e && (e.Value is Manifest.Reading.ManifestNode.Mapping || context.Truth(e) == true);
        var type = volume.Find("driver_opts")?.Find("type") is { } t ? context.Single(t) : null;
        if (isExternal) Refuse("The volume belongs to another project of the other engine; the box has none of it.");
        else if (driver is not (null or "" or "local")) Refuse("The box has no volume drivers; its volumes are on its own disk.");
        else if (type?.ToLowerInvariant() is "nfs" or "nfs4" or "cifs" or "smb" or "smb3")
            Refuse("The volume lies on another machine; the box's volumes are on its own disk.");
        else context.Report.Add(volume, ImportVerdict.Translated, "A sealed volume of the app, empty at first.", "storage.persistent");

        void Refuse(string sentence)
        {
            _refused[volume.Key] = sentence;
            context.Report.Add(volume, ImportVerdict.Refused, sentence);
        }
    }
}
