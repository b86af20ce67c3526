using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>The fields of a manifest. The first entries of a manifest's page and of its schema are in this order.</summary>
internal static class AppFields
{
    private static readonly TextShape Size = new() { Pattern = ManifestPatterns.Size, Examples = ["10GB"] };

    private static readonly FieldTable<VolumeDraft> Volume = new FieldTable<VolumeDraft>()
        .With("container", new TextShape { Pattern = ContainerPath.Pattern, Examples = ["/data"] }, (v, value) => v.Container = value,
            "Where the only service sees the volume; with 'services' it is a mount of a service.")
        .With("size_limit", Size, (v, value) => v.SizeLimit = value, "How large the volume may grow, such as 10GB; no limit without it.")
        .With("kind", new TextShape { Words = ["data", "cache", "media", "from_image"] }, (v, value) => v.Kind = value,
            "What lies in it: data (default), cache, media, or from_image, which is filled from the image again at each new image.");

    private static readonly FieldTable<SecretDraft> Secret = new FieldTable<SecretDraft>()
        .With("generate", new TextShape { Words = ["alnum", "hex", "base64", "uuid"] }, (s, value) => s.Format = value, "The alphabet of the secret.")
        .With("length", new NumberShape(ManifestLimits.MinSecretLength, ManifestLimits.MaxSecretLength), (s, value) => s.Length = value,
            "In characters, for base64 in bytes; 32 without it. A uuid has none.")
        .Requiring("generate");

    private static readonly FieldTable<ManifestDraft> Storage = new FieldTable<ManifestDraft>()
        .With("persistent",
            new MapShape<VolumeDraft>(
                new TextShape { Pattern = ManifestPatterns.Label, Examples = ["data"] }, new ObjectShape<VolumeDraft>(Volume),
                ManifestLimits.Volumes, "volume"),
            (m, value) => m.Volumes = value, "The app's volumes, which outlive its containers.")
        .NotYet("folders", "folder_user");

    public static readonly FieldTable<ManifestDraft> Table = new FieldTable<ManifestDraft>()
        .With("schema", new NumberShape(ManifestLimits.Schema, ManifestLimits.Schema), (m, value) => m.Schema = value,
            "The version of this grammar; never needed.")
        .With("name", new TextShape { Pattern = ManifestPatterns.AppName, MaxLength = ManifestLimits.NameLength, Examples = ["notes"] },
            (m, value) => m.Name = value, "The app's name, unique on the device.")
        .With("type", new TextShape { Words = ["user", "system"] }, (m, value) => m.Type = value, "Who asked for the app: user (default) or system.")
        .With("services",
            new MapShape<ServiceDraft>(
                new TextShape { Pattern = ManifestPatterns.Label, Examples = ["web"] }, new ObjectShape<ServiceDraft>(ServiceFields.Table),
                ManifestLimits.Services, "service", min: 1),
            (m, value) => m.Services = value, "The app's containers, in place of 'image'. Each is reached by the others under its label.")
        .Including(ServiceFields.Table, m => m.Top)
        .With("listeners", new ListShape<ListenerDraft>(new ObjectShape<ListenerDraft>(ListenerFields.Table), ManifestLimits.Listeners, min: 1),
            (m, value) => m.Listeners = value, "Where the app answers.")
        .Into("storage", Storage, orEmpty: true)
        .With("secrets",
            new MapShape<SecretDraft>(
                new TextShape { Pattern = ManifestPatterns.SecretName, Examples = ["db"] }, new ObjectShape<SecretDraft>(Secret),
                ManifestLimits.Secrets, "secret"),
            (m, value) => m.Secrets = value, "What is generated once and kept sealed; ${secret.NAME} stands for it.")
        .NotYet("update", "backup", "questions", "pins_url", "filesystem", "app_config")
        .Requiring("name", "listeners");
}
