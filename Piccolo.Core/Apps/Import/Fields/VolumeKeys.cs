using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Import.Sections;
using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>What services mount becomes volumes of the app: nothing of the host's own files is ever seen by it.</summary>
/// <param name="tops">The volumes at the top of the file.</param>
internal sealed partial class VolumeKeys(ImportContext context, TopVolumes tops)
{
    private const long DefaultMemory = 64L << 20;

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    public void Volumes(ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
        {
            if (MountText.Read(context, item) is { } mount) Take(service, item, mount);
            else context.Report.Add(item, ImportVerdict.Dropped, "It is no mount that this import knows.");
        }
        if (field.Value is not Manifest.Reading.ManifestNode.Sequence) context.Report.Add(field, ImportVerdict.Dropped, "It is no list of mounts.");
    }

    private void Take(ServicePlan service, Field item, MountText mount)
    {
        var target = mount.Target.Trim();
        if (mount.Type == "tmpfs") ResourceKeys.AddMemory(context, service, item, target, mount.Bytes ?? DefaultMemory);
        else if (mount.Type == "bind") Bind(service, item, mount, target);
        else if (mount.Type != "volume") Say(item, ImportVerdict.Refused, $"The box has no mounts of the kind '{ImportContext.Shown(mount.Type)}'.");
        else if (mount.Source is not { Length: > 0 } name) Mount(service, item, $"own:{service.Name}:{target}", target, target, mount,
            "It had no name; it gets a volume of the app.");
        else if (tops.ReasonAgainst(name) is { } reason) Say(item, ImportVerdict.Refused, reason);
        else Mount(service, item, $"named:{name}", name, target, mount, "A volume of the app.");
    }

    private void Bind(ServicePlan service, Field item, MountText mount, string target)
    {
        var source = mount.Source!;
        switch (HostPaths.Of(source, target, context))
        {
            case HostPathKind.EngineSocket:
                Say(item, ImportVerdict.Refused, "No app steers the container engine: who can is root on the box.");
                break;
            case HostPathKind.System:
                Say(item, ImportVerdict.Refused, $"'{ImportContext.Shown(source)}' belongs to the box itself; no app sees it.");
                break;
            case HostPathKind.Time:
                service.SetDefault("TZ", References.TimeZone);
                Say(item, ImportVerdict.Dropped, "The service gets the box's time zone by the variable TZ.");
                break;
            case HostPathKind.Spare:
                Say(item, ImportVerdict.Dropped, $"'{ImportContext.Shown(source)}' belongs to the box itself; apps work without it.");
                break;
            case HostPathKind.Device:
                DeviceKeys.Device(context, service, item, source);
                break;
            case HostPathKind.File:
                File(item, source);
                break;
            default:
                var isMedia = MediaPattern().IsMatch(source + " " + target);
                Mount(service, item, $"bind:{(source is "." or "./" or "" ? mount.Raw + target : source.TrimEnd('/'))}", NameOf(source, target), target,
                    mount, isMedia
                    ? "A new, empty volume of the app: this release has no shared folders. Copy the folder's content into it."
                    : "A new, empty volume of the app: the host's folder is not used. Copy its content into it.", isMedia ? "media" : null);
                break;
        }
    }

    private void File(Field item, string source)
    {
        if (context.Companion(source) is null) context.Missing(source, item, "It is mounted into a service.");
        Say(item, ImportVerdict.Dropped,
            $"This release cannot put a file into a container: the service starts without '{ImportContext.Shown(source)}', with what its image has there.");
    }

    private void Mount(ServicePlan service, Field item, string identity, string wish, string target, MountText mount, string sentence, string? kind = null)
    {
        if (!ContainerPath.TryNormaliseMount(target, out var path, out var error))
        {
            Say(item, ImportVerdict.Refused, error);
            return;
        }
        if (service.Mounts.Any(m => m.Path == path) || service.TemporaryFolders.Any(t => t.Path == path))
        {
            Say(item, ImportVerdict.Dropped, "Something else of this service is at the same path.");
            return;
        }
        if (service.Mounts.Count == ManifestLimits.Mounts || Volume(identity, wish, path, kind) is not { } volume)
        {
            Say(item, ImportVerdict.Refused, $"A manifest has at most {ManifestLimits.Volumes} volumes, and a service at most {ManifestLimits.Mounts} mounts.");
            return;
        }
        service.Mounts.Add(new MountPlan(path, volume, mount.IsReadOnly));
        context.Report.Add(item, ImportVerdict.Translated, sentence, $"storage.persistent.{volume}");
    }

    /// <returns>The volume's name in the manifest; null where there are too many.</returns>
    private string? Volume(string identity, string wish, string path, string? kind)
    {
        if (_names.TryGetValue(identity, out var known)) return known;
        var volumes = context.App.Volumes;
        if (volumes.Count == ManifestLimits.Volumes) return null;
        var name = Labels.Unique(wish, volumes.ContainsKey, "data");
        volumes[name] = kind ?? (CachePattern().IsMatch(wish) || CachePattern().IsMatch(path) ? "cache" : "data");
        return _names[identity] = name;
    }

    /// <summary>The last part of the source that says something, else of the target.</summary>
    private static string NameOf(string source, string target) =>
        source.Split('/', '\\').LastOrDefault(p => p.Trim('.', '~').Length > 0) ?? target.Split('/').LastOrDefault(p => p.Length > 0) ?? "data";

    private void Say(Field item, ImportVerdict verdict, string sentence) => context.Report.Add(item, verdict, sentence);

    [GeneratedRegex(
        @"(?:^|[/ _.-])(?:media|photos?|pictures?|music|books?|audiobooks?|podcasts|movies?|tv|series|films|videos?|downloads?|library|"
        + @"originals|path/to)(?:$|[/ _.-])",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex MediaPattern();

    [GeneratedRegex("(?:^|[/_.-])cache$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex CachePattern();
}
