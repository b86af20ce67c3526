using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Piccolo.Core.Volumes;

/// <summary>How a run of gocryptfs ended. Exit code -1: it did not start, or not end in time.</summary>
internal readonly record struct ToolAnswer(int ExitCode, string Text)
{
    public bool IsDone => ExitCode == 0;
}

/// <summary>
/// The program gocryptfs. The key reaches it through its standard input only: arguments and environments can be read by others, and files stay.
/// </summary>
internal sealed class Gocryptfs(TimeProvider time)
{
    public const int FoundDamage = 26;

    /// <summary>A program that hangs must not hold up an app for ever. Making and checking read no more than a small volume.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly string[] Folders = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"];

    public static string? Find(string program) => Folders.Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);

    public Task<ToolAnswer> VersionAsync(string program, CancellationToken cancellationToken) => RunAsync(program, ["-version"], null, cancellationToken);

    /// <summary>Makes an empty encrypted directory.</summary>
    public Task<ToolAnswer> InitAsync(string program, VolumePaths volume, ReadOnlyMemory<byte> key, CancellationToken cancellationToken) =>
        // scrypt protects passwords that can be guessed, at 64 MB and a second for each mount; 256 random bits need none of it, and 10 is the least.
        RunAsync(program, ["-init", "-q", "-nosyslog", "-scryptn", "10", "--", volume.Cipher], key, cancellationToken);

    /// <summary>Reads all of a directory that is not mounted. Changes nothing.</summary>
    public Task<ToolAnswer> CheckAsync(string program, VolumePaths volume, ReadOnlyMemory<byte> key, CancellationToken cancellationToken) =>
        RunAsync(program, ["-fsck", "-q", "-nosyslog", "--", volume.Cipher], key, cancellationToken);

    private async Task<ToolAnswer> RunAsync(string program, string[] arguments, ReadOnlyMemory<byte>? key, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        Process? process = null;
        try
        {
            process = Start(program, arguments);
            var (words, errors) = (process.StandardOutput.ReadToEndAsync(either.Token), process.StandardError.ReadToEndAsync(either.Token));
            await TellAsync(process.StandardInput.BaseStream, key ?? ReadOnlyMemory<byte>.Empty);
            process.StandardInput.Close();
            await process.WaitForExitAsync(either.Token);
            return new ToolAnswer(process.ExitCode, $"{await words}{await errors}".Trim());
        }
        catch (Win32Exception e)
        {
            return new ToolAnswer(-1, e.Message);
        }
        catch (OperationCanceledException)
        {
            if (process is { HasExited: false }) process.Kill();
            cancellationToken.ThrowIfCancellationRequested();
            return new ToolAnswer(-1, "it did not end in time");
        }
        finally
        {
            process?.Dispose();
        }
    }

    /// <exception cref="Win32Exception">It cannot be started.</exception>
    public static Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        // The daemon's environment may hold settings that are nobody's business.
        start.Environment.Clear();
        start.Environment["PATH"] = string.Join(':', Folders);
        return Process.Start(start)!;
    }

    /// <summary>Gives it the key, as the line that it takes for a password.</summary>
    public static async Task TellAsync(Stream input, ReadOnlyMemory<byte> key)
    {
        if (key.IsEmpty) return;
        var line = new byte[2 * key.Length + 1];
        try
        {
            Convert.TryToHexStringLower(key.Span, line.AsSpan(0, 2 * key.Length), out _);
            line[^1] = (byte)'\n';
            await input.WriteAsync(line);
            await input.FlushAsync();
        }
        catch (IOException)
        {
            // It has ended already: what it printed says why.
        }
        finally
        {
            CryptographicOperations.ZeroMemory(line);
        }
    }
}
