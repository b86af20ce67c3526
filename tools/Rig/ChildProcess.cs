using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Piccolo.Rig;

/// <summary>What a child process is started with.</summary>
/// <param name="LogFile">Receives both output streams; its folder must exist.</param>
/// <param name="Package">The Debian package that has the program, for the message when it is missing.</param>
public sealed record ChildProcessStart(string Program, IReadOnlyList<string> Arguments, string LogFile, string Package)
{
    /// <summary>Added to our own environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public string? WorkingDirectory { get; init; }

    /// <summary>Whether it is told more by <see cref="ChildProcess.TellAsync"/>; else its standard input has ended already.</summary>
    public bool IsTold { get; init; }
}

/// <summary>
/// A program that runs beside us: output goes to a file, dies with us, is killed with its children by <see cref="DisposeAsync"/>.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const int ExcerptHead = 10;
    private const int ExcerptTail = 10;

    private static readonly Lazy<BlockingCollection<Action>> Starter = new(StartStarter);
    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly Lock _gate = new();
    private readonly List<(string Text, TaskCompletionSource<string> Seen)> _waiting = [];
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _disposed;

    private ChildProcess(ChildProcessStart start)
    {
        LogFile = start.LogFile;
        Name = Path.GetFileName(start.Program);
        _log = new StreamWriter(start.LogFile, append: false) { AutoFlush = true };
        // setpriv lets the kernel kill the child when we die, however we die.
        var setpriv = FindProgram("setpriv");
        var info = new ProcessStartInfo(setpriv ?? start.Program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = start.WorkingDirectory ?? "",
        };
        if (setpriv is not null) foreach (var argument in (string[])["--pdeathsig", "KILL", "--", start.Program]) info.ArgumentList.Add(argument);
        foreach (var argument in start.Arguments) info.ArgumentList.Add(argument);
        foreach (var (name, value) in start.Environment) info.Environment[name] = value;
        _process = new Process { StartInfo = info, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, e) => Record(e.Data);
        _process.ErrorDataReceived += (_, e) => Record(e.Data);
        _process.Exited += (_, _) => _exited.TrySetResult();
    }

    public string Name { get; }

    public string LogFile { get; }

    /// <summary>Stays what it was when the process has ended.</summary>
    public int Id { get; private set; }

    /// <summary>Of a process that has ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Completes when the process has ended.</summary>
    public Task Exited => _exited.Task;

    /// <exception cref="InvalidOperationException">The program is missing; the message names the package.</exception>
    public static ChildProcess Start(ChildProcessStart start)
    {
        if (FindProgram(start.Program) is null)
            throw new InvalidOperationException($"'{start.Program}' is missing. Install it: apt-get install {start.Package}");
        var child = new ChildProcess(start);
        using var started = new ManualResetEventSlim();
        Exception? error = null;
        Starter.Value.Add(() =>
        {
            try
            {
                child._process.Start();
            }
            catch (Exception e) when (e is Win32Exception or IOException or InvalidOperationException)
            {
                error = e;
            }
            started.Set();
        });
        started.Wait();
        if (error is not null)
        {
            child._process.Dispose();
            child._log.Dispose();
            throw new InvalidOperationException($"'{start.Program}' did not start: {error.Message}", error);
        }
        child.Id = child._process.Id;
        if (!start.IsTold) child._process.StandardInput.Close();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Waits until someone listens on a loopback port, and fails at once when the process ends instead.</summary>
    public Task WaitForPortAsync(int port, TimeSpan limit, CancellationToken cancellationToken = default) =>
        WaitAsync($"listening on port {port}", limit, async token =>
    {
        while (true)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync("127.0.0.1", port, token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, token);
            }
        }
    }, cancellationToken);

    /// <summary>Waits for an output line that contains <paramref name="text"/>, printed already or yet to come.</summary>
    public async Task<string> WaitForLineAsync(string text, TimeSpan limit, CancellationToken cancellationToken = default)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Add((text, seen));
            if (File.ReadLines(LogFile).FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } already) seen.TrySetResult(already);
        }
        await WaitAsync($"printing '{text}'", limit, token => seen.Task.WaitAsync(token), cancellationToken, () => seen.Task.IsCompleted);
        return await seen.Task;
    }

    /// <summary>Writes a line to its standard input.</summary>
    /// <exception cref="IOException">It no longer reads.</exception>
    public async Task TellAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Asks the process to end in good order (SIGTERM) and waits at most <paramref name="limit"/> for it.</summary>
    /// <returns>Whether it has ended.</returns>
    public async Task<bool> StopAsync(TimeSpan limit)
    {
        if (Exited.IsCompleted) return true;
        // setpriv replaces itself by the program, so this is the program's own id.
        using (var kill = Process.Start(new ProcessStartInfo("kill", ["-TERM", Id.ToString(CultureInfo.InvariantCulture)]))!) await kill.WaitForExitAsync();
        return await Task.WhenAny(Exited, Task.Delay(limit, TimeProvider.System)) == Exited;
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
        }
        try
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or TimeoutException)
        {
            // It has ended already, or a grandchild holds its output open.
        }
        finally
        {
            _process.Dispose();
            lock (_gate) _log.Dispose();
        }
    }

    private async Task WaitAsync(string what, TimeSpan limit,
        Func<CancellationToken, Task> wait, CancellationToken cancellationToken, Func<bool>? isPrinted = null)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ended.CancelAfter(limit);
        var waiting = wait(ended.Token);
        var first = await Task.WhenAny(waiting, Exited);
        if (first == waiting && waiting.IsCompletedSuccessfully) return;
        if (first == Exited && isPrinted is not null)
        {
            // The end of a process is heard of before its last lines are read.
            await _process.WaitForExitAsync(ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (isPrinted()) return;
        }
        cancellationToken.ThrowIfCancellationRequested();
        var why = first == waiting ? $"is not {what} after {limit.TotalSeconds:0} s" : $"ended (code {_process.ExitCode}) before {what}";
        await ended.CancelAsync();
        throw new InvalidOperationException($"{Name} {why}. Its log is {LogFile}; it says: {Excerpt()}");
    }

    private void Record(string? line)
    {
        if (line is null) return;
        lock (_gate)
        {
            if (!_disposed) _log.WriteLine(line);
            foreach (var (text, seen) in _waiting)
            {
                if (line.Contains(text, StringComparison.Ordinal)) seen.TrySetResult(line);
            }
        }
    }

    /// <summary>An exception's type and message stand at the top of what a dying process prints.</summary>
    private string Excerpt()
    {
        lock (_gate)
        {
            return File.Exists(LogFile) ? string.Join(" | ", HeadAndTail.Of(File.ReadLines(LogFile), ExcerptHead, ExcerptTail)) : "";
        }
    }

    private static string? FindProgram(string program) => program.Contains('/', StringComparison.Ordinal)
        ? File.Exists(program) ? program : null
        : $"{Environment.GetEnvironmentVariable("PATH")}:/usr/local/sbin:/usr/sbin:/sbin".Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <summary>The kernel's parent-death signal is sent when the starting thread ends, so all children are started by one thread that never does.</summary>
    private static BlockingCollection<Action> StartStarter()
    {
        var work = new BlockingCollection<Action>(boundedCapacity: 100);
        var thread = new Thread(() =>
        {
            foreach (var start in work.GetConsumingEnumerable()) start();
        })
        { IsBackground = true, Name = "child starter" };
        thread.Start();
        return work;
    }
}
