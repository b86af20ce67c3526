using System.Diagnostics;

namespace Piccolo.Bench.Ingress;

/// <summary>
/// Users who stay, while slow clients come and go. Their rate is counted in windows, those with slow clients between two without. Short windows that change
/// often say the most in a given time: what the machine does from one minute to the next is much more than from one second to the next.
/// </summary>
/// <param name="cycles">Windows with slow clients.</param>
internal sealed class BesideSlowClients(SlowClients slow, int cycles)
{
    /// <summary>What coming, going and being counted take at most, on an average.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1.4);

    /// <summary>After each coming and going, before a window begins.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(0.3);

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    /// <param name="usersAsync">Users who stay for so many seconds.</param>
    /// <param name="servedAsync">What they have got so far.</param>
    /// <returns>For each window with slow clients: the users' rate beside that in the windows before and after.</returns>
    /// <exception cref="InvalidOperationException">The users left early.</exception>
    public async Task<IReadOnlyList<double>> RatiosAsync(Func<int, Task<LoadResult>> usersAsync, Func<Task<long>> servedAsync)
    {
        var users = usersAsync((int)Math.Ceiling((cycles * Between + (2 * cycles + 1) * (Settling + Window)).TotalSeconds));
        var ratios = new List<double>();
        var before = await RateAsync();
        while (ratios.Count < cycles)
        {
            await slow.TellAsync(SlowOrder.Come);
            var during = await RateAsync();
            await slow.TellAsync(SlowOrder.Go);
            var after = await RateAsync();
            ratios.Add(2 * during / (before + after));
            before = after;
        }
        await users;
        return ratios;

        async Task<double> RateAsync()
        {
            await Task.Delay(Settling, TimeProvider.System);
            var (began, served) = (Stopwatch.GetTimestamp(), await servedAsync());
            await Task.Delay(Window, TimeProvider.System);
            var rate = (await servedAsync() - served) / Stopwatch.GetElapsedTime(began).TotalSeconds;
            if (users.IsFaulted) await users;
            return users.IsCompleted ? throw new InvalidOperationException("The users left before all had been counted.") : rate;
        }
    }
}
