using Microsoft.AspNetCore.Hosting.Server;
using Piccolo.Core.Health;
using Piccolo.Core.Locking;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Platform;

/// <summary>
/// Replaces the image of the process by a fresh start of the same program (execve(2)): the process id, arguments and environment stay, so that service
/// managers and containers see a reload. Connections that are still open end with the old image.
/// </summary>
internal sealed class ExecRestart(
    IServer server, IHostApplicationLifetime lifetime, SystemdReporter systemd, StateDirectoryLock state, ClockFloor clock,
    ILoggerFactory logs, TimeProvider time, ILogger<ExecRestart> logger) : IProcessRestart
{
    /// <summary>EX_OSERR of sysexits.h: the service manager starts the daemon again.</summary>
    private const int FailedExitCode = 71;

    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(2);

    /// <summary>For answers that are on their way. What is open then is ended: everything that may last was ended by the lock.</summary>
    private static readonly TimeSpan ConnectionsLimit = TimeSpan.FromMilliseconds(200);

    /// <summary>The server itself waits for connections that it has aborted.</summary>
    private static readonly TimeSpan ServerLimit = TimeSpan.FromMilliseconds(300);

    /// <summary>A disk or a log that stands still holds nothing up.</summary>
    private static readonly TimeSpan LastWordsLimit = TimeSpan.FromSeconds(1);

    /// <summary>What a signal that was caught takes until the host knows of it.</summary>
    private static readonly TimeSpan SignalLatency = TimeSpan.FromMilliseconds(20);

    private readonly TaskCompletionSource _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isPending;

    public bool IsPending => _isPending;

    /// <summary>Completes when it is time to <see cref="TryPrepareAsync"/>.</summary>
    public Task Requested => _requested.Task;

    public void Announce() => _isPending = true;

    public void Request(Task answered) => _ = RequestAsync(answered);

    /// <summary>Closes what others can see of this process.</summary>
    /// <returns>False when the process was told to end: then there is no restart.</returns>
    public async Task<bool> TryPrepareAsync()
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested) return false;
        using var limit = new CancellationTokenSource(ConnectionsLimit, time);
        await AtMostAsync(() => server.StopAsync(limit.Token), ServerLimit);
        // A signal must not be lost between the last look at it and the new image.
        ProcessImage.EndBySignalAtOnce();
        await Task.Delay(SignalLatency, time);
        if (lifetime.ApplicationStopping.IsCancellationRequested) return false;
        await AtMostAsync(
            () =>
            {
                systemd.Reloading();
                clock.Save();
                logger.StartingAfresh();
                // Writes out the lines that still wait.
                logs.Dispose();
                return Task.CompletedTask;
            },
            LastWordsLimit);
        return true;
    }

    /// <summary>On the main thread. Does not return.</summary>
    public void Execute()
    {
        var error = ProcessImage.Replace(state.Handle);
        Console.Error.WriteLine($"The process could not be started afresh (execve: error {error}). It ends, so that nothing stays in its memory.");
        ProcessImage.ExitAtOnce(FailedExitCode);
    }

    /// <summary>Whatever hangs or fails here must not keep the old image, and what it knows, alive.</summary>
    private Task AtMostAsync(Func<Task> work, TimeSpan limit) =>
        Task.Run(work).WaitAsync(limit, time)
            .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task RequestAsync(Task answered)
    {
        await answered.WaitAsync(AnswerLimit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _requested.TrySetResult();
    }
}

internal static class ExecRestartExtensions
{
    /// <summary>Runs the host until it is stopped; a lock replaces the process instead.</summary>
    public static void RunUntilLocked(this WebApplication app)
    {
        var restart = app.Services.GetRequiredService<ExecRestart>();
        // Only the main thread has what the service manager gave the process: its priority, its parent-death signal.
#pragma warning disable RS0030
        if (RunAsync(app, restart).GetAwaiter().GetResult()) restart.Execute();
#pragma warning restore RS0030
    }

    /// <returns>Whether the process is to be replaced.</returns>
    private static async Task<bool> RunAsync(WebApplication app, ExecRestart restart)
    {
        var isReplaced = false;
        try
        {
            await app.StartAsync();
            var stopped = app.WaitForShutdownAsync();
            isReplaced = await Task.WhenAny(stopped, restart.Requested) != stopped && await restart.TryPrepareAsync();
            if (!isReplaced) await stopped;
        }
        finally
        {
            // Nothing is given back to a process that ends here and now.
            if (!isReplaced) await app.DisposeAsync();
        }
        return isReplaced;
    }
}
