namespace Piccolo.Tests.Core.Tunnel.Session;

/// <summary>A clock that whoever asks it has to wait for.</summary>
internal sealed class StoppingTime : TimeProvider, IDisposable
{
    private readonly ManualResetEventSlim _gate = new(true);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Stopped => _stopped.Task;

    public void Stop() => _gate.Reset();

    public void GoOn() => _gate.Set();

    public override DateTimeOffset GetUtcNow()
    {
        if (!_gate.IsSet) _stopped.TrySetResult();
        _gate.Wait();
        return System.GetUtcNow();
    }

    public void Dispose()
    {
        _gate.Set();
        _gate.Dispose();
    }
}
