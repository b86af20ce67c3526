using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Leadership;

/// <summary>
/// Reads the roles from a file and follows its changes by inotify. A file that cannot be used, or has vanished, leaves the last good roles in force:
/// two leaders are worse than a stale one. Until there was a good one all roles are unknown, and this node acts as a follower.
/// </summary>
internal sealed class FileElector(IOptions<LeadershipOptions> options, HealthTracker health, TimeProvider time, ILogger<FileElector> logger) : ILeaderElector
{
    // Watching is by events; this only repairs a lost one (an inotify queue can overflow).
    private static readonly TimeSpan Recheck = TimeSpan.FromMinutes(5);

    private readonly string _path = Path.GetFullPath(options.Value.File!);
    private bool _wasGood;

    public async Task RunAsync(LeadershipRegistry registry, CancellationToken cancellationToken)
    {
        var touched = new ChangeSignal();
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(_path)!, Path.GetFileName(_path));
        watcher.Created += (_, _) => touched.Raise();
        watcher.Changed += (_, _) => touched.Raise();
        watcher.Renamed += (_, _) => touched.Raise();
        watcher.Deleted += (_, _) => touched.Raise();
        watcher.Error += (_, _) => touched.Raise();
        watcher.EnableRaisingEvents = true;
        var signals = new SignalSet(touched);
        while (!cancellationToken.IsCancellationRequested)
        {
            signals.Mark();
            await ReadAsync(registry, cancellationToken);
            await signals.WaitAsync(Recheck, time, cancellationToken);
        }
    }

    private async Task ReadAsync(LeadershipRegistry registry, CancellationToken cancellationToken)
    {
        try
        {
            var length = new FileInfo(_path).Length;
            var reason = "it is too large";
            if (length <= RolesFile.MaxFileBytes && RolesFile.TryParse(await File.ReadAllBytesAsync(_path, cancellationToken), out reason) is { } roles)
            {
                registry.Apply(roles);
                _wasGood = true;
                health.Ok(HealthComponents.Leadership, "roles follow the leadership file");
                return;
            }
            // A writer that is not atomic shows an empty file for a moment; the next event brings the rest.
            Refuse(reason);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Refuse(e is FileNotFoundException ? "it does not exist" : "it cannot be read");
        }
    }

    private void Refuse(string reason)
    {
        var meanwhile = _wasGood ? "the last good roles stay in force" : "until it can this node acts as a follower";
        health.Degraded(HealthComponents.Leadership, $"the leadership file cannot be used: {reason}; {meanwhile}");
        logger.FileRefused(_path, reason, meanwhile);
    }
}
