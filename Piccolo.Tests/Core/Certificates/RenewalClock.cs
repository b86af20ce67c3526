using Microsoft.Extensions.Time.Testing;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>Lets a fake clock run, faster than the true one, while something is awaited that polls by it.</summary>
internal static class RenewalClock
{
    public static async Task<T> RunAsync<T>(FakeTimeProvider time, Task<T> awaited)
    {
        while (!awaited.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.WhenAny(awaited, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }
        return await awaited;
    }
}
