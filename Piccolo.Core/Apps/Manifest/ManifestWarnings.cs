using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>What is valid and was probably not meant so.</summary>
internal static class ManifestWarnings
{
    // From this version on the data lies in a folder of the version below the parent of where it lay before.
    private const int PostgresWithNewFolder = 18;

    /// <param name="isShort">Whether the fields of the only service stand at the top of the text.</param>
    public static IEnumerable<ManifestWarning> Of(AppManifest app, bool isShort)
    {
        foreach (var service in app.Services)
        {
            var path = isShort ? "" : $"services.{service.Name}.";
            if (UnpinnedWord(service.Image) is { } unpinned)
                yield return new ManifestWarning(path + "image", $"The image is unpinned: {unpinned} stands for another image after each release.");
            if (KnownStores.Of(service.Image) is { } store && WarningOf(service, store) is { } sentence)
                yield return new ManifestWarning(path + "mounts", sentence);
        }
        foreach (var (i, listener) in app.Listeners.Index())
            if (listener.IsHttp && KnownStores.Of(app.ServiceOf(listener).Image) is { SpeaksHttp: false } store)
                yield return new ManifestWarning($"listeners[{i}].protocol", $"{store.Title} does not speak HTTP: nobody gets an answer here.");
        foreach (var volume in app.Volumes.Keys.Where(v => !app.Services.Any(s => s.Mounts.Any(m => m.Volume == v))))
            yield return new ManifestWarning($"storage.persistent.{volume}", "No service mounts this volume.");
        foreach (var secret in app.Secrets.Keys.Where(s => !Uses(app, s)))
            yield return new ManifestWarning($"secrets.{secret}", "No variable and no command refers to this secret.");
    }

    private static string? UnpinnedWord(string image) =>
        !ImageReference.TryParse(image, out var reference, out _) || reference.Digest is not null || reference.Tag != "latest" ? null
        : image.EndsWith(":latest", StringComparison.Ordinal) ? "'latest'"
        : "a name without tag and digest";

    private static string? WarningOf(ServiceManifest service, KnownStore store)
    {
        if (service.Environment.ContainsKey("PGDATA")) return null;
        var mounts = service.Mounts.Select(m => m.Path).ToList();
        if (!store.DataPaths.Any(data => mounts.Any(m => m == data || data.StartsWith(m + "/", StringComparison.Ordinal))))
            return $"{store.Title} has no volume at {store.DataPaths[0]}: what it stores is lost whenever its container is made anew.";
        return IsPostgresWithNewFolder(service.Image) && mounts.Contains("/var/lib/postgresql/data")
            ? $"From version {PostgresWithNewFolder} on, PostgreSQL keeps its data below /var/lib/postgresql; its volume belongs there."
            : null;
    }

    private static bool IsPostgresWithNewFolder(string image) =>
        ImageReference.TryParse(image, out var reference, out _) && reference.Name.Split('/')[^1] == "postgres"
        && int.TryParse(new string([.. (reference.Tag ?? "").TakeWhile(char.IsAsciiDigit)]), out var version) && version >= PostgresWithNewFolder;

    private static bool Uses(AppManifest app, string secret) => app.Services.SelectMany(s => s.Environment.Values.Concat(s.Command))
        .SelectMany(ManifestValues.References).Any(r => r.Prefix == "secret" && r.Name == secret);
}
