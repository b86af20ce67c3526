using Piccolo.Core.Apps.Plans;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Apps.Work;

/// <summary>
/// The one place where an app is worked on: one step at a time, always towards the latest goal. A new goal breaks off a start that it makes pointless,
/// a download above all; a stop is never broken off. Thread-safe.
/// </summary>
internal sealed class AppLane(string app, AppWorkContext context, CancellationToken ending)
{
    private readonly Lock _gate = new();
    private readonly AppWork _work = new(app, context);
    private AppGoal? _goal;
    private bool _isNew;
    private bool _again;
    private bool _busy;
    private CancellationTokenSource? _step;
    private Task _breakingOff = Task.CompletedTask;

    /// <summary>Completes when the work that goes on now has ended.</summary>
    public Task Idle { get; private set; } = Task.CompletedTask;

    /// <summary>When the app is to be looked at again although nothing tells that it changed.</summary>
    public DateTimeOffset? NextAttempt => _work.NotBefore ?? _work.NextLook;

    /// <summary>Whether the app is gone and nothing is left to do for it.</summary>
    public bool IsDone
    {
        get
        {
            lock (_gate) return !_busy && _goal is AppGoal.Remove && _work.NotBefore is null;
        }
    }

    /// <summary>Takes the goal and sees to it in the background; with the goal that it has already, looks whether it is still reached.</summary>
    public void SetGoal(AppGoal goal)
    {
        lock (_gate)
        {
            if (goal.Key != _goal?.Key) _isNew = true;
            var breaksOff = _goal is AppGoal.Run before && !(goal is AppGoal.Run after && after.Plan.Hash == before.Plan.Hash);
            _goal = goal;
            _again = true;
            if (breaksOff && _step is not null) _breakingOff = _step.CancelAsync();
            if (_busy) return;
            _busy = true;
            Idle = Task.Run(WorkAsync, CancellationToken.None);
        }
    }

    private async Task WorkAsync()
    {
        while (true)
        {
            using var step = CancellationTokenSource.CreateLinkedTokenSource(ending);
            AppGoal goal;
            lock (_gate)
            {
                if (ending.IsCancellationRequested || !_again)
                {
                    _busy = false;
                    return;
                }
                if (_isNew) _work.ForgetFailures();
                (goal, _isNew, _again, _step) = (_goal!, false, false, step);
            }
            await StepAsync(goal, step.Token);
            Task breakingOff;
            lock (_gate)
            {
                _step = null;
                breakingOff = _breakingOff;
            }
            await breakingOff;
        }
    }

    private async Task StepAsync(AppGoal goal, CancellationToken cancellationToken)
    {
        try
        {
            await _work.TowardsAsync(goal, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // A newer goal, or the end, is why.
        }
        catch (StoreSealedException)
        {
            // Locked meanwhile: the goal of that is on its way, and after the next unlock the step is taken again.
        }
        catch (Exception e)
        {
            _work.RecordCrash(e);
        }
    }
}
