using System.Runtime.InteropServices;
using Piccolo.Rig;
using Piccolo.Rig.Stack;

namespace Piccolo.Demo;

/// <summary><c>./dev demo</c>: starts the stack, drives it, and says in one line what failed.</summary>
internal static class DemoCommand
{
    // How long a step may take on a busy machine; what is known to be broken need not be waited for as long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PatienceWithTheBroken = TimeSpan.FromSeconds(10);
    private static readonly string Folder = Path.GetFullPath(Path.Combine("artifacts", "demo"));

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        if (arguments is ["--help"] or ["-h"])
        {
            Console.WriteLine(DemoOptions.Usage);
            return 0;
        }
        if (DemoOptions.Parse(arguments) is not { } options)
        {
            Console.Error.WriteLine(DemoOptions.Usage);
            return 2;
        }
        var stopped = new TaskCompletionSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return await RunAsync(options, new Timeline(Console.Out), stopped.Task);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopped.TrySetResult();
        }
    }

    private static async Task<int> RunAsync(DemoOptions options, Timeline timeline, Task stopped)
    {
        try
        {
            await using var stack = await DemoStack.StartAsync(Folder, options.Break, timeline);
            var flow = new DemoFlow(stack, timeline, options.Break == DemoBreak.None ? Patience : PatienceWithTheBroken).RunAsync();
            if (await Task.WhenAny(flow, stopped) == stopped) return 130;
            await flow;
            if (!options.Once)
            {
                Console.WriteLine(DemoGuide.For(stack));
                await stopped;
            }
            return 0;
        }
        catch (Exception e) when (e is DemoFailedException or ApplianceRefusedException or InvalidOperationException or HttpRequestException or IOException)
        {
            timeline.Print($"FAILED {e.Message}");
            Console.WriteLine($"Logs: {Folder} (appliance.log first)");
            return 1;
        }
    }
}
