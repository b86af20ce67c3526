using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Piccolo.DevRelay;

/// <summary>Runs one relay until it is told to stop.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args.Contains("--help"))
        {
            Console.WriteLine(CommandLine.Usage);
            return 0;
        }

        RelayOptions options;
        TranscriptFile? recording = null;
        bool verbose;
        try
        {
            options = CommandLine.Parse(args, out verbose);
            if (options.TranscriptPath is { } path) options.Transcript = (recording = new TranscriptFile(path, options.Time)).Write;
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            await Console.Error.WriteLineAsync($"DevRelay: {e.Message} --help shows the options.");
            return 2;
        }

        using var transcript = recording;
        using var loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(verbose ? LogLevel.Debug : LogLevel.Information)
            .AddSimpleConsole(console => console.SingleLine = true)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.TrySetResult();
        }

        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await using var relay = new Relay(options, loggers);
        try
        {
            await relay.StartAsync();
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or IOException or ArgumentException)
        {
            await Console.Error.WriteLineAsync($"DevRelay: {e.Message}");
            return 1;
        }

        Console.WriteLine(JsonSerializer.Serialize(new
        {
            hub = relay.HubUri,
            @public = relay.PublicPorts.Select(p => new { listen = p.Listen.ToString(), advertised = p.AdvertisedPort }),
            control = relay.Control is { } control ? $"http://{control}" : null,
        }));
        await stop.Task;
        return 0;
    }
}
