using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Exports;
using Piccolo.Core.Volumes;

namespace Piccolo.Core.Apps;

/// <summary>What apps keep, for exports: which volumes are worth it, and how to copy them while nobody writes. Thread-safe.</summary>
internal sealed class ExportedAppVolumes(AppCatalog catalog, IAppVolumes volumes, AppHolds holds, TimeProvider time) : IExportedVolumes
{
    /// <summary>Longer than an app's services may take to stop, one after the other.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    public ExportSelection Select()
    {
        var apps = catalog.List().ToDictionary(a => a.Name, StringComparer.Ordinal);
        var chosen = ImmutableArray.CreateBuilder<ExportedVolume>();
        var leftOut = ImmutableArray.CreateBuilder<LeftOutVolume>();
        var stored = volumes.Stored();
        foreach (var volume in stored)
        {
            var kind = volume.FollowsImage ? VolumeKind.FromImage : apps.GetValueOrDefault(volume.App)?.Manifest.Volumes.GetValueOrDefault(volume.Name)?.Kind;
            // Of a volume that no manifest names nobody knows whether it can be had again.
            var name = kind is null ? ExportedVolume.Kept : JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.Value.ToString());
            if (kind is VolumeKind.Cache or VolumeKind.FromImage) leftOut.Add(new LeftOutVolume(volume.App, volume.Name, name));
            else chosen.Add(new ExportedVolume(volume.App, volume.Name, name, volume.Id));
        }
        return new ExportSelection(chosen.ToImmutable(), leftOut.ToImmutable(), Stamp(apps.Values, stored));
    }

    public async Task<IDisposable> HoldAsync(string app, CancellationToken cancellationToken)
    {
        var hold = holds.Take(app);
        try
        {
            var obstacle = await hold.Ended.WaitAsync(Limit, time, cancellationToken);
            if (obstacle is not null) throw NotStopped(app, obstacle);
            var (rest, open) = await volumes.RestAsync(app, cancellationToken);
            return rest is null ? throw NotStopped(app, open!.Sentence) : new Held(hold, rest);
        }
        catch (TimeoutException)
        {
            hold.Dispose();
            throw NotStopped(app, "It did not stop in time.");
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    private static ExportFailedException NotStopped(string app, string why) =>
        new("app_not_stopped", $"The app '{app}' could not be stopped for the export, so no export was made. {why}");

    /// <summary>Start and stop do not count: what the volumes hold fits to the manifest all the same.</summary>
    private static string Stamp(IEnumerable<AppRecord> apps, ImmutableArray<StoredVolume> stored) => Convert.ToHexStringLower(SHA256.HashData(
        JsonSerializer.SerializeToUtf8Bytes(new { Apps = apps.Select(a => new { a.Name, a.ManifestText, a.ImageIds, a.CreatedAt }), stored })));

    /// <summary>The volumes may be opened before the app is told to go on.</summary>
    private sealed class Held(AppHold hold, IDisposable rest) : IDisposable
    {
        public void Dispose()
        {
            rest.Dispose();
            hold.Dispose();
        }
    }
}
