using System.Diagnostics;

namespace Piccolo.Rig.Stack;

/// <summary>Waits until something can be observed, looking again and again within a limit.</summary>
public sealed class Observer(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    /// <param name="look">Returns what was found, or null to look again. Exceptions of the network count as not yet.</param>
    /// <param name="explain">Called when the limit has passed: the sentence that names the cause.</param>
    public async Task<T> UntilAsync<T>(TimeSpan limit, Func<CancellationToken, Task<T?>> look, Func<Task<string>> explain) where T : class
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < limit)
        {
            using var attempt = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
            try
            {
                if (await look(attempt.Token) is { } found) return found;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or System.Net.Sockets.SocketException
                or System.Security.Authentication.AuthenticationException)
            {
                // Not there yet.
            }
            await Task.Delay(Pause, time);
        }
        throw new DemoFailedException(await explain());
    }
}
