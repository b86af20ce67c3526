using System.Globalization;
using System.Text.RegularExpressions;

namespace Piccolo.TestRun.Machine;

/// <summary>
/// Finds what a run that was killed could not remove. A name that carries the process which made it is judged by whether that process lives; what carries
/// none is taken for left only while no other run goes on.
/// </summary>
internal static partial class LeftBehind
{
    /// <summary>Processes of runs in this checkout whose own process has ended.</summary>
    public static IReadOnlyList<RunningProcess> Processes(IEnumerable<RunningProcess> all, string root, Func<int, bool> lives) =>
        [.. all.Where(process => process.Mark?.Split(':', 2) is [var run, var place] && place == root
            && int.TryParse(run, CultureInfo.InvariantCulture, out var id) && !lives(id))];

    /// <summary>Runs that go on, of any checkout.</summary>
    public static bool AnotherRunGoesOn(IEnumerable<RunningProcess> all, Func<int, bool> lives) =>
        all.Any(process => process.Mark?.Split(':', 2) is [var run, _] && int.TryParse(run, CultureInfo.InvariantCulture, out var id)
            && id != Environment.ProcessId && lives(id));

    /// <summary>Links that tests make (<c>piccolo-t0</c>), and bridges whose private Podman is gone.</summary>
    /// <param name="podmans">Names of the folders of private Podmans.</param>
    public static IReadOnlyList<string> Links(IEnumerable<string> links, IReadOnlyCollection<string> podmans) =>
        [.. links.Where(link => TestLink().IsMatch(link)
            || (BridgePattern().Match(link) is { Success: true } bridge && !podmans.Contains("piccolo-podman-" + bridge.Groups["id"].Value)))];

    /// <summary>Mount points below temporary folders of tests that have ended; the innermost first.</summary>
    /// <param name="mountInfo">Lines of <c>/proc/self/mountinfo</c>.</param>
    public static IReadOnlyList<string> Mounts(IEnumerable<string> mountInfo, string temp, Func<int, bool> lives) =>
        [.. mountInfo.Select(line => line.Split(' ')).Where(fields => fields.Length > 4).Select(fields => fields[4])
            .Where(place => place.StartsWith(temp + "/", StringComparison.Ordinal) && IsLeft(place[(temp.Length + 1)..].Split('/')[0], lives))
                .OrderDescending(StringComparer.Ordinal)];

    /// <summary>Temporary folders of tests that have ended.</summary>
    public static IReadOnlyList<string> Folders(IEnumerable<string> folders, Func<int, bool> lives) =>
        [.. folders.Where(folder => IsLeft(Path.GetFileName(folder), lives))];

    private static bool IsLeft(string name, Func<int, bool> lives) =>
        TestFolder().Match(name) is { Success: true } folder && int.TryParse(folder.Groups["id"].Value, CultureInfo.InvariantCulture, out var id) && !lives(id);

    [GeneratedRegex(@"^piccolo-t\d+$")]
    private static partial Regex TestLink();

    [GeneratedRegex("^pic(?<id>[0-9a-f]{8})$")]
    private static partial Regex BridgePattern();

    [GeneratedRegex(@"^piccolo-test-(?<id>\d+)-")]
    private static partial Regex TestFolder();
}
