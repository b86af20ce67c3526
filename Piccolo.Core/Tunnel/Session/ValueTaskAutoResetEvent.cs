using System.Threading.Tasks.Sources;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>As <see cref="AsyncAutoResetEvent"/>, for paths that every message takes: no allocation and no cancellation. One awaiter.</summary>
internal sealed class ValueTaskAutoResetEvent : IValueTaskSource
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _core;
    private bool _isSet;
    private bool _isAwaited;

    /// <summary>The awaiter continues on a thread of the pool.</summary>
    public void Set() => Set(inline: false);

    /// <summary>The awaiter continues within this call: no change of threads. Not to be called under a lock.</summary>
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
