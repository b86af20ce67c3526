using System.Diagnostics;
using Piccolo.Api.Ingress.Tls;

namespace Piccolo.Tests.Interop;

/// <summary>A real program's run: how it ended and all that it said.</summary>
internal sealed record ToolRun(int ExitCode, string Output)
{
    /// <summary>Runs to the end, with an argument list and never a shell. A program that takes too long is killed with its children.</summary>
    public static async Task<ToolRun> OfAsync(string program, string[] arguments, string input = "", TimeSpan? limit = null)
    {
        using var patience = new CancellationTokenSource(limit ?? TimeSpan.FromSeconds(60));
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // The stranger has its own mind about TLS.
        start.Environment.Remove(TlsSettings.ConfigurationVariable);
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            await WriteAsync(process, input);
            await process.WaitForExitAsync(patience.Token);
            return new ToolRun(process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end in time.");
        }
    }

    private static async Task WriteAsync(Process process, string input)
    {
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended without listening.
        }
    }
}
