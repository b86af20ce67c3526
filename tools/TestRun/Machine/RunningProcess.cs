using System.Globalization;

namespace Piccolo.TestRun.Machine;

/// <summary>A process of this machine as <c>/proc</c> shows it.</summary>
/// <param name="Mark">What <see cref="DotnetTest.MarkVariable"/> says in its environment: the run's process and its checkout; null: not of a run.</param>
internal sealed record RunningProcess(int Id, string? Mark, string CommandLine)
{
    /// <summary>Those that we may look into.</summary>
    public static IEnumerable<RunningProcess> All(string proc = "/proc")
    {
        foreach (var folder in Directory.EnumerateDirectories(proc))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) continue;
            if (Read(folder, "environ") is not { } environment || Read(folder, "cmdline") is not { } command) continue;
            var mark = environment.Split('\0')
                .FirstOrDefault(line => line.StartsWith(DotnetTest.MarkVariable + "=", StringComparison.Ordinal))?[(DotnetTest.MarkVariable.Length + 1)..];
            yield return new RunningProcess(id, mark, command.Replace('\0', ' ').Trim());
        }
    }

    private static string? Read(string folder, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended meanwhile, or is another user's.
            return null;
        }
    }
}
