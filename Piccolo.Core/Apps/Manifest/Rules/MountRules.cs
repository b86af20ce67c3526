using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of what a service sees at its paths: volumes and folders in memory.</summary>
internal static class MountRules
{
    private const string TwiceSentence = "Something else of this service is at the same path.";

    public static void Check(ServiceEntry service, ManifestDraft app, ManifestErrorList errors)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (path, mount) in service.Draft.Mounts)
        {
            var place = FieldPath.Join(service.PathOf("mounts"), path);
            CheckPath(path, place, taken, errors);
            if (mount.Volume is null) errors.AddRule($"{place}.volume", ManifestErrorCodes.Required, "The mount needs the name of a volume.");
            else if (app.Volumes.All(v => v.Key != mount.Volume) && errors.WasRead("storage.persistent"))
                errors.AddRule(place, ManifestErrorCodes.UnknownReference, "There is no such volume in 'storage.persistent'.",
                    NearestName.Of(mount.Volume, app.Volumes.Select(v => v.Key)));
        }
        foreach (var (path, size) in service.Draft.TemporaryFolders)
        {
            var place = FieldPath.Join(service.PathOf("resources.tmpfs"), path);
            CheckPath(path, place, taken, errors);
            if (!RuleWords.IsNullOrSize(size, ManifestLimits.MinFolderBytes, ManifestLimits.MaxFolderBytes))
                errors.AddRule(place, ManifestErrorCodes.InvalidValue, "The size of a folder in memory is a number with the unit MB or GB, from 1MB to 64GB.");
        }
        CheckContainers(service, app, taken, errors);
    }

    /// <summary><c>container</c> of a volume is a mount of the service that a manifest without <c>services</c> has.</summary>
    private static void CheckContainers(ServiceEntry service, ManifestDraft app, HashSet<string> taken, ManifestErrorList errors)
    {
        var isOnly = app.Services is null or { Count: 1 } && service.Name == AppManifest.MainService;
        foreach (var (name, volume) in app.Volumes)
        {
            if (volume.Container is null) continue;
            var place = FieldPath.Join("storage.persistent", name) + ".container";
            if (isOnly)
            {
                if (ContainerPath.TryNormaliseMount(volume.Container, out var normal, out _) && !taken.Add(normal))
                    errors.AddRule(place, ManifestErrorCodes.Duplicate, TwiceSentence);
            }
            else if (ReferenceEquals(service.Draft, app.Services?[0].Value))
                errors.AddRule(place, ManifestErrorCodes.Conflict, "With 'services' a volume is mounted by 'mounts' of a service.");
        }
    }

    private static void CheckPath(string path, string place, HashSet<string> taken, ManifestErrorList errors)
    {
        if (!ContainerPath.TryNormaliseMount(path, out var normal, out var error)) errors.AddRule(place, ManifestErrorCodes.InvalidValue, error);
        else if (!taken.Add(normal)) errors.AddRule(place, ManifestErrorCodes.Duplicate, TwiceSentence);
    }
}
