using System.Diagnostics;
using System.Globalization;

namespace Piccolo.Rig;

/// <summary>Prints one line per step with the seconds since the start and of the step itself.</summary>
public sealed class Timeline(TextWriter output)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public TimeSpan Elapsed => _clock.Elapsed;

    public async Task<T> StepAsync<T>(string name, Func<Task<T>> step)
    {
        var started = _clock.Elapsed;
        var result = await step();
        Print(string.Create(CultureInfo.InvariantCulture, $"{name} ({(_clock.Elapsed - started).TotalSeconds:0.00} s)"));
        return result;
    }

    public Task StepAsync(string name, Func<Task> step) => StepAsync<object?>(name, async () =>
    {
        await step();
        return null;
    });

    public void Print(string line) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{_clock.Elapsed.TotalSeconds,6:0.00}] {line}"));
}
