using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.Containers.Firewall;

/// <summary>
/// The program nft: behind a socket of the service manager, which starts it for each question with the one capability that it needs, so that the daemon
/// needs none; where there is no such socket, as a child of the daemon.
/// </summary>
internal sealed class Nftables(IOptions<ContainerOptions> options, TimeProvider time) : INftables
{
    private const string Name = "nft";

    /// <summary>A table of some hundreds of addresses takes milliseconds.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>200 apps of 32 services in three sets are a megabyte.</summary>
    private const int MaxAnswer = 4 << 20;

    private static readonly string[] Folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"];

    public async Task<NftAnswer> RunAsync(string commands, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return options.Value.FirewallSocket is { Length: > 0 } socket && File.Exists(socket)
                ? await AskAsync(socket, commands, either.Token)
                : await StartAsync(commands, either.Token);
        }
        catch (Exception e) when (e is SocketException or IOException or Win32Exception or InvalidDataException)
        {
            return new NftAnswer(false, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new NftAnswer(false, "it did not answer in time");
        }
    }

    /// <summary>The exit code does not come through. Every text of ours asks for something, so that JSON and nothing else means that all of it
    /// was done; a refusal stands before or behind the answer.</summary>
    private static async Task<NftAnswer> AskAsync(string path, string commands, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(commands), cancellationToken);
        socket.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var answer = await ReadAsync(reader, cancellationToken);
        return new NftAnswer(answer.StartsWith('{') && answer.EndsWith('}'), answer);
    }

    private static async Task<NftAnswer> StartAsync(string commands, CancellationToken cancellationToken)
    {
        if (Folders.Select(f => Path.Combine(f, Name)).FirstOrDefault(File.Exists) is not { } program) return new NftAnswer(false, "nft is not installed");
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in new[] { "--json", "--file", "-" }) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        try
        {
            var (answer, errors) = (ReadAsync(process.StandardOutput, cancellationToken), ReadAsync(process.StandardError, cancellationToken));
            await process.StandardInput.WriteAsync(commands.AsMemory(), cancellationToken);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? new NftAnswer(true, await answer) : new NftAnswer(false, await errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new char[16 * 1024];
        try
        {
            int read;
            while ((read = await reader.ReadAsync(buffer.AsMemory(), cancellationToken)) > 0)
            {
                if (text.Append(buffer, 0, read).Length > MaxAnswer) throw new InvalidDataException("its answer has no end");
            }
        }
        catch (IOException) when (text.Length > 0)
        {
            // It ended without reading all that it was told: what it said before is why.
        }
        return text.ToString().Trim();
    }
}
