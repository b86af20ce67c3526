using Piccolo.Rig;
using Piccolo.Rig.Stack;


namespace Piccolo.Demo.Prove;

/// <summary>
/// <c>./dev prove leaks</c>: plants secrets, runs the main flow with real parts, locks, and searches everything that somebody could get hold of then: the
/// raw disk, the logs, the answers, the process's environment and arguments, and its whole memory. Needs root.
/// </summary>
public static class LeakProof
{
    public static Task<int> RunAsync() => RunAsync(Path.GetFullPath(Path.Combine("artifacts", "prove-leaks")), Console.Out);

    /// <param name="folder">Emptied first; logs and state go here.</param>
    /// <returns>0 when nothing was found, else 1.</returns>
    public static async Task<int> RunAsync(string folder, TextWriter output)
    {
        var timeline = new Timeline(output);
        var copy = Path.Combine(folder, "copy");
        try
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var logs = Path.Combine(folder, "demo");
            await using var stack = await DemoStack.StartAsync(logs, DemoBreak.None, timeline);
            return await new LeakSearch(stack, logs, copy, timeline, output).RunAsync();
        }
        catch (Exception e) when (e is DemoFailedException or ApplianceRefusedException or InvalidOperationException or HttpRequestException or IOException
            or UnauthorizedAccessException)
        {
            timeline.Print($"FAILED {e.Message}");
            return 1;
        }
        finally
        {
            // The copy is sealed, but there is no use in keeping it.
            if (Directory.Exists(copy)) Directory.Delete(copy, recursive: true);
        }
    }
}
