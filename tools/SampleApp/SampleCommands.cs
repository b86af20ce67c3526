using System.Globalization;

namespace Piccolo.SampleApp;

/// <summary>What the program does in place of serving: for commands that are run in its container.</summary>
internal static class SampleCommands
{
    /// <returns>Null where the arguments are no command.</returns>
    public static Func<Task<int>>? Find(string[] args) => args switch
    {
        ["exit", var code] => () => Task.FromResult(int.Parse(code, CultureInfo.InvariantCulture)),
        ["wait"] => WaitAsync,
        ["flood"] => FloodAsync,
        _ => null,
    };

    private static async Task<int> WaitAsync()
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        return 0;
    }

    /// <summary>32 MiB without a line's end.</summary>
    private static async Task<int> FloodAsync()
    {
        await using var output = Console.OpenStandardOutput();
        var chunk = new byte[64 * 1024];
        for (var i = 0; i < 512; i++) await output.WriteAsync(chunk);
        return 7;
    }
}
