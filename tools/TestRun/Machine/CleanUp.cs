using System.Diagnostics;
using Piccolo.Rig.Podman;

namespace Piccolo.TestRun.Machine;

/// <summary>Removes what a killed run left on this machine, and says what.</summary>
internal static class CleanUp
{
    private const string Temp = "/tmp";

    /// <returns>Sentences about what could not be removed.</returns>
    public static async Task<IReadOnlyList<string>> RunAsync(string root, Action<string> say)
    {
        var faults = new List<string>();
        var processes = RunningProcess.All().ToList();
        foreach (var process in LeftBehind.Processes(processes, root, Lives))
            await TryAsync($"process {process.Id} ({Short(process.CommandLine)})", () => Kill(process.Id));
        await TryAsync(null, async () =>
        {
            foreach (var folder in await PodmanServer.SweepAbandonedAsync()) say($"removed what a killed run left: containers and folder {folder}");
        });
        foreach (var mount in LeftBehind.Mounts(File.ReadLines("/proc/self/mountinfo"), Temp, Lives))
            await TryAsync($"mount {mount}", () => ToolAsync("umount", "-l", mount));
        var links = LeftBehind.Links(LinksOfThisNetwork(),
            [.. Directory.EnumerateDirectories(Temp, "piccolo-podman-*").Select(path => Path.GetFileName(path))]);
        var waits = links.Count > 0 && LeftBehind.AnotherRunGoesOn(processes, Lives);
        foreach (var link in links)
        {
            if (waits) say($"left alone: link {link}, which may be another run's");
            // The other end of a pair goes with the first.
            else if (LinksOfThisNetwork().Contains(link)) await TryAsync($"link {link}", () => ToolAsync("ip", "link", "delete", link));
        }
        foreach (var folder in LeftBehind.Folders(Directory.EnumerateDirectories(Temp, "piccolo-test-*"), Lives))
        {
            if (IsAnotherUsers(folder)) say($"left alone: folder {folder}, which is another user's");
            else await TryAsync($"folder {folder}", () => Task.Run(() => Directory.Delete(folder, recursive: true)));
        }
        return faults;

        async Task TryAsync(string? what, Func<Task> remove)
        {
            try
            {
                await remove();
                if (what is not null) say($"removed what a killed run left: {what}");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException or System.ComponentModel.Win32Exception
                or OperationCanceledException)
            {
                faults.Add($"what a killed run left cannot be removed: {what ?? "a private Podman"}: {e.Message.Trim()}");
            }
        }
    }

    /// <summary>/sys shows the links of the network namespace in which it was mounted, /proc those of ours.</summary>
    private static IReadOnlyList<string> LinksOfThisNetwork() => [.. File.ReadLines("/proc/net/dev").Skip(2).Select(line => line.Split(':')[0].Trim())];

    /// <summary>A run's folder is its user's alone.</summary>
    private static bool IsAnotherUsers(string folder)
    {
        try
        {
            _ = Directory.EnumerateFileSystemEntries(folder).Any();
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static bool Lives(int id) => Directory.Exists($"/proc/{id}");

    private static string Short(string text) => text.Length > 100 ? text[..100] + "…" : text;

    private static async Task Kill(int id)
    {
        using var process = Process.GetProcessById(id);
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }

    private static Task<string> ToolAsync(string program, params string[] arguments) => Tool.RunAsync(Tool.Prepare(program, arguments), CancellationToken.None);
}
