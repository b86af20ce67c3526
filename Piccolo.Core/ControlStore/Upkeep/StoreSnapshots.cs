using System.Globalization;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.ControlStore.Upkeep;

/// <summary>Copies of the store on the same disk, sealed as it is: against a migration or a commit that turns out wrong, not against the disk's loss.</summary>
internal sealed class StoreSnapshots(StatePaths paths, TimeProvider time)
{
    public const int Kept = 7;

    private const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Newest first, by revision: a clock that was wrong once must not decide what is new.</summary>
    public IReadOnlyList<StoreSnapshot> List() => !Directory.Exists(paths.Snapshots) ? [] :
    [
        .. Directory.EnumerateFiles(paths.Snapshots, "control-*.db").Select(Parse).OfType<StoreSnapshot>()
            .OrderByDescending(s => s.Revision).ThenByDescending(s => s.TakenAt),
    ];

    /// <param name="copy">Writes the copy to the path that it is given, and returns its revision.</param>
    public StoreSnapshot Take(Func<string, long> copy)
    {
        if (!Directory.Exists(paths.Snapshots))
        {
            Directory.CreateDirectory(paths.Snapshots, OwnerOnly);
            AtomicFile.FlushDirectory(paths.Root);
        }
        foreach (var leftover in Directory.EnumerateFiles(paths.Snapshots, "*.tmp*")) File.Delete(leftover);
        var temporary = Path.Combine(paths.Snapshots, "taking.tmp");
        var now = time.GetUtcNow();
        var revision = copy(temporary);
        var path = Path.Combine(
            paths.Snapshots, string.Create(CultureInfo.InvariantCulture, $"control-{now.ToString(TimeFormat, CultureInfo.InvariantCulture)}-r{revision}.db"));
        File.Move(temporary, path, overwrite: true);
        WriteSteps.Reached(WriteStep.Renamed, temporary);
        AtomicFile.FlushDirectory(paths.Snapshots);
        WriteSteps.Reached(WriteStep.Durable, temporary);
        // Copies of revisions that the store has not reached are of a store that an older one has replaced; they go first.
        foreach (var old in List().OrderBy(s => s.Revision > revision).Skip(Kept)) File.Delete(old.Path);
        return new StoreSnapshot(path, now, revision);
    }

    private static StoreSnapshot? Parse(string path) =>
        Path.GetFileNameWithoutExtension(path).Split('-') is ["control", var at, ['r', .. var revision]]
        && DateTimeOffset.TryParseExact(at, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var takenAt)
        && long.TryParse(revision, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new StoreSnapshot(path, takenAt, number)
            : null;
}

internal sealed record StoreSnapshot(string Path, DateTimeOffset TakenAt, long Revision);
