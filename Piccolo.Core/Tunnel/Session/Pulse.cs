using System.Threading.Channels;
using System.Threading.Tasks.Sources;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>Wakes the one loop that waits; several sets before it waits wake it once, none is lost.</summary>
internal sealed class Pulse
{
    private readonly Channel<bool> _slot = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _slot.Writer.TryWrite(true);

    public async ValueTask WaitAsync(CancellationToken cancellationToken) => await _slot.Reader.ReadAsync(cancellationToken);
}

/// <summary>The same for paths that are taken for every message: without allocation and without cancellation.</summary>
internal sealed class QuickPulse : IValueTaskSource
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _core;
    private bool _isSet;
    private bool _isAwaited;

    /// <summary>Whoever waits goes on on a thread of the pool.</summary>
    public void Set() => Set(inline: false);

    /// <summary>Whoever waits goes on within this call: it costs no change of threads, and must not be done under a lock.</summary>
    public void SetInline() => Set(inline: true);

    /// <summary>By one caller at a time.</summary>
    public ValueTask WaitAsync()
    {
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return ValueTask.CompletedTask;
            }
            _core.Reset();
            _isAwaited = true;
            return new ValueTask(this, _core.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Set(bool inline)
    {
        lock (_gate)
        {
            if (!_isAwaited)
            {
                _isSet = true;
                return;
            }
            _isAwaited = false;
            _core.RunContinuationsAsynchronously = !inline;
        }
        _core.SetResult(true);
    }
}
