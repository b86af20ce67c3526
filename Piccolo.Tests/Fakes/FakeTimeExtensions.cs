using Microsoft.Extensions.Time.Testing;

namespace Piccolo.Tests.Fakes;

internal static class FakeTimeExtensions
{
    private const int MaxSteps = 200;

    /// <summary>Lets time pass, step by step, until something has happened: a loop that was just started may not have set its timer yet.</summary>
    public static async Task AdvanceUntilAsync(this FakeTimeProvider time, TimeSpan step, Task happened)
    {
        for (var i = 0; i < MaxSteps && !happened.IsCompleted; i++)
        {
            time.Advance(step);
            await happened.WaitAsync(TimeSpan.FromMilliseconds(50)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await happened.WaitAsync(TimeSpan.FromSeconds(1));
    }
}
