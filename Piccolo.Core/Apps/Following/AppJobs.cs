using System.Collections.Immutable;
using System.Text.Json;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Jobs;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps.Following;

/// <summary>
/// Jobs that follow commands to apps until what was wanted was seen. They do nothing themselves: the store holds what is wanted, and the supervisor makes it
/// so, whether somebody follows or not. Thread-safe.
/// </summary>
public sealed class AppJobs(JobTable jobs, SealedStore store, AppCatalog catalog, AppStatusBoard board, TimeProvider time)
{
    private static readonly TimeSpan Regular = TimeSpan.FromSeconds(30);
    private static readonly JobError Superseded = new("superseded", "A later command wants something else of the app.");

    /// <summary>Opens a job for a command that was given. It takes the place of the job of an earlier command to the same app.</summary>
    /// <param name="rules">For an installation that is to be taken back: what other owners of names say.</param>
    /// <returns>Null where too many jobs run already; the command holds all the same.</returns>
    public Job? Follow(AppAim aim, ListenerNameRules rules)
    {
        var plan = new JobPlan(KindOf(aim), "app " + aim.App)
        {
            Subject = aim.App,
            Replaces = Superseded,
            TakeBack = () => aim is AppAim.Install install && IsCancellable(install) && catalog.TakeBack(install.Record, install.Before, rules),
        };
        return jobs.Start(plan, (report, cancellationToken) => FollowAsync(aim, report, cancellationToken)).Job;
    }

    private async Task<string?> FollowAsync(AppAim aim, IJobReport report, CancellationToken cancellationToken)
    {
        var signals = new SignalSet(store.Changed, board.Changed);
        while (true)
        {
            signals.Mark();
            if (Look(aim, report)) return aim.App;
            await signals.WaitAsync(Regular, time, cancellationToken);
        }
    }

    /// <returns>Whether the aim was seen to be reached.</returns>
    private bool Look(AppAim aim, IJobReport report)
    {
        AppRecord? app;
        AppRemoval? removal;
        try
        {
            (app, removal) = (catalog.Find(aim.App), store.Get(AppRemoval.Collection, aim.App));
        }
        catch (StoreSealedException e)
        {
            throw new JobInterruptedException("locked", "The appliance was locked before this was finished.", e);
        }
        var status = board.Find(aim.App);
        var outcome = AimJudge.Judge(aim, app, removal, status);
        Report(aim, app, status is not null && status.Revision >= aim.Revision ? status : null, outcome is AimOutcome.Reached, report);
        return outcome switch
        {
            AimOutcome.Reached => true,
            AimOutcome.Failed failed => throw new JobFailedException(JsonNamingPolicy.SnakeCaseLower.ConvertName(failed.Reason.ToString()), failed.Detail),
            AimOutcome.Lost lost => throw new JobInterruptedException(lost.Code, lost.Detail),
            _ => false,
        };
    }

    private void Report(AppAim aim, AppRecord? app, AppStatus? status, bool isReached, IJobReport report)
    {
        var now = time.GetUtcNow();
        report.Report(job =>
        {
            var steps = AimSteps.Of(aim, app, status, job.Steps, now);
            if (isReached) steps = AimSteps.Done(steps.IsEmpty ? job.Steps : steps, now);
            return job with
            {
                Steps = steps,
                Progress = ProgressOf(steps, status, job.Progress),
                Detail = isReached || status is null or { IsSettled: false } or { Detail: "" } ? null : status.Detail,
                IsCancellable = !isReached && aim is AppAim.Install install && IsCancellable(install),
            };
        });
    }

    /// <summary>The step that goes on; bytes while images are fetched.</summary>
    private static JobProgress ProgressOf(ImmutableArray<JobStep> steps, AppStatus? status, JobProgress before)
    {
        var current = steps.FirstOrDefault(s => s.State is StepState.Running or StepState.Failed) ?? steps.LastOrDefault(s => s.State == StepState.Done);
        if (current is null) return before;
        var pulls = (status?.Services ?? []).Select(s => s.Pull).OfType<Containers.PullProgress>().ToList();
        if (current.Name != AimSteps.Fetch) return new JobProgress(current.Name, steps.Count(s => s.State == StepState.Done), steps.Length);
        if (pulls.Count == 0) return new JobProgress(current.Name);
        var total = pulls.Sum(p => (decimal)(p.TotalBytes ?? 0));
        return new JobProgress(current.Name, Bytes(pulls.Sum(p => (decimal)p.DoneBytes)), total == 0 ? null : Bytes(total));
    }

    /// <summary>The sizes are the registry's words: a sum of them may be anything.</summary>
    private static long Bytes(decimal sum) => sum > long.MaxValue ? long.MaxValue : (long)sum;

    /// <summary>While its images are fetched, if there is something to take back.</summary>
    private bool IsCancellable(AppAim.Install install) =>
        (install.IsNew || install.Before is not null) && catalog.Fetching.IsOpen(install.App, install.Revision);

    private static string KindOf(AppAim aim) => aim switch
    {
        AppAim.Install => "app.install",
        AppAim.Start => "app.start",
        AppAim.Stop => "app.stop",
        _ => "app.remove",
    };
}
