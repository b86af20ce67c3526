using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Jobs;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Jobs;

internal sealed class JobTableTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CapturedLog _log = new();
    private JobTable _jobs = null!;

    [SetUp]
    public void SetUp() => _jobs = new JobTable(new FakeTimeProvider(), _log.For<JobTable>());

    [OneTimeTearDown]
    public void TearDown() => _log.Dispose();

    [Test]
    public async Task Job_ThatSucceeds_ShowsProgressAndResultInOrder()
    {
        var go = new TaskCompletionSource();
        var (job, started) = _jobs.Start("export", "exports", async (progress, _) =>
        {
            progress.Report(new JobProgress("writing", 5, 10));
            await go.Task;
            return "made";
        });
        Assert.That(started, Is.True);
        var moments = new List<Job>();
        await foreach (var moment in _jobs.WatchAsync(job.Id, CancellationToken.None).ConfigureAwait(false))
        {
            moments.Add(moment);
            if (moment.Progress.Done == 5) go.TrySetResult();
        }

        Assert.That(moments[^1].State, Is.EqualTo(JobState.Succeeded));
        Assert.That(moments[^1].Result, Is.EqualTo("made"));
        Assert.That(moments.Any(m => m is { State: JobState.Running, Progress.Done: 5 }), Is.True);
        Assert.That(_jobs.Find(job.Id), Is.EqualTo(moments[^1]));
    }

    [Test]
    public async Task Cancel_StopsTheWork()
    {
        var (job, _) = _jobs.Start("export", "exports", async (_, token) =>
        {
            await token.FiredAsync();
            token.ThrowIfCancellationRequested();
            return null;
        });

        Assert.That(_jobs.Cancel(job.Id).Outcome, Is.EqualTo(CancelOutcome.Done));

        Assert.That((await EndOf(job)).State, Is.EqualTo(JobState.Cancelled));
        Assert.That(_jobs.Cancel(job.Id).Job!.State, Is.EqualTo(JobState.Cancelled), "again changes nothing");
        Assert.That(_jobs.Cancel("nobody"), Is.EqualTo((CancelOutcome.NoSuchJob, (Job?)null)));
    }

    [Test]
    public async Task Failures_AreSentencesWithoutInsides()
    {
        var (expected, _) = _jobs.Start("a", "a", (_, _) => throw new JobFailedException("locked", "The appliance was locked."));
        var (broken, _) = _jobs.Start("b", "b", (_, _) => throw new InvalidOperationException("canary-inside"));

        Assert.That((await EndOf(expected)).Error, Is.EqualTo(new JobError("locked", "The appliance was locked.")));
        var end = await EndOf(broken);
        Assert.That(end.State, Is.EqualTo(JobState.Failed));
        Assert.That(end.Error!.Detail, Does.Not.Contain("canary"));
        Assert.That(_log.Count(6501), Is.EqualTo(1));
    }

    [Test]
    public async Task Start_WhileTheGroupIsBusy_NamesTheRunningJob()
    {
        var go = new TaskCompletionSource<string?>();
        var (first, _) = _jobs.Start("a", "exports", (_, _) => go.Task);

        var (busy, started) = _jobs.Start("b", "exports", (_, _) => Task.FromResult<string?>(null));
        Assert.That(started, Is.False);
        Assert.That(busy.Id, Is.EqualTo(first.Id));
        go.SetResult(null);
        await EndOf(first);
        Assert.That(_jobs.Start("b", "exports", (_, _) => Task.FromResult<string?>(null)).Started, Is.True);
    }

    [Test]
    public async Task Outcomes_AreBounded()
    {
        for (var i = 0; i < JobTable.KeptOutcomes + 20; i++) await EndOf(_jobs.Start($"k{i}", "g", (_, _) => Task.FromResult<string?>(null)).Job);

        Assert.That(_jobs.List(), Has.Count.EqualTo(JobTable.KeptOutcomes + 1));
        Assert.That(_jobs.List()[0].Kind, Is.EqualTo($"k{JobTable.KeptOutcomes + 19}"));
    }

    [Test]
    public async Task Stop_CancelsWhatRuns()
    {
        var (job, _) = _jobs.Start("a", "a", async (_, token) =>
        {
            await token.FiredAsync();
            token.ThrowIfCancellationRequested();
            return null;
        });

        await _jobs.StopAsync(CancellationToken.None).WaitAsync(Patience);

        Assert.That((_jobs.Find(job.Id)!.State, _jobs.Find(job.Id)!.Error!.Code), Is.EqualTo((JobState.Interrupted, "stopping")));
        Assert.That(_jobs.Start(new JobPlan("late", "late"), (_, _) => Task.FromResult<string?>(null)), Is.EqualTo(((Job?)null, false)));
    }

    [Test]
    public async Task StopAll_InterruptsForItsReason()
    {
        var (job, _) = _jobs.Start("a", "a", WaitAsync);

        _jobs.StopAll(new JobError("locked", "Locked."));

        var end = await EndOf(job);
        Assert.That((end.State, end.Error), Is.EqualTo((JobState.Interrupted, new JobError("locked", "Locked."))));
    }

    [Test]
    public async Task Start_ThatReplaces_InterruptsTheOneThatRuns()
    {
        var ended = new TaskCompletionSource();
        var (first, _) = _jobs.Start("a", "web", async (_, token) =>
        {
            await token.FiredAsync();
            await ended.Task;
            return "too late";
        });

        var (second, started) = _jobs.Start(new JobPlan("b", "web") { Subject = "web", Replaces = new JobError("superseded", "Another.") }, WaitAsync);

        Assert.That((started, second!.Subject, second.State), Is.EqualTo((true, "web", JobState.Running)));
        Assert.That((_jobs.Find(first.Id)!.State, _jobs.Find(first.Id)!.Error!.Code), Is.EqualTo((JobState.Interrupted, "superseded")));
        ended.SetResult();
        Assert.That((await EndOf(first)).Result, Is.Null, "what its work returns later changes nothing");
    }

    [Test]
    public void Cancel_ThatCannotBeTakenBack_LeavesTheJobAtWork()
    {
        var (job, _) = _jobs.Start(new JobPlan("a", "a") { TakeBack = () => false }, WaitAsync);

        Assert.That(_jobs.Cancel(job!.Id), Is.EqualTo((CancelOutcome.NotCancellable, job)));

        Assert.That(_jobs.Find(job.Id)!.State, Is.EqualTo(JobState.Running));
    }

    [Test]
    public void Cancel_ThatIsTakenBack_HasEndedAtOnce()
    {
        var (job, _) = _jobs.Start(new JobPlan("a", "a") { TakeBack = () => true }, WaitAsync);

        var (outcome, cancelled) = _jobs.Cancel(job!.Id);

        Assert.That((outcome, cancelled!.State, cancelled.IsCancellable), Is.EqualTo((CancelOutcome.Done, JobState.Cancelled, false)));
    }

    [Test]
    public void Start_BeyondTheLimit_StartsNothing()
    {
        for (var i = 0; i < JobTable.MaxRunning; i++) Assert.That(_jobs.Start(new JobPlan("k", $"g{i}"), WaitAsync).Started, Is.True);

        Assert.That(_jobs.Start(new JobPlan("k", "one more"), WaitAsync), Is.EqualTo(((Job?)null, false)));
        Assert.That(_jobs.Start(new JobPlan("k", "g0") { Replaces = new JobError("superseded", "Another.") }, WaitAsync).Started, Is.True);
    }

    private static async Task<string?> WaitAsync(IJobReport report, CancellationToken token)
    {
        await token.FiredAsync();
        token.ThrowIfCancellationRequested();
        return null;
    }

    private async Task<Job> EndOf(Job job)
    {
        using var limit = new CancellationTokenSource(Patience);
        await foreach (var moment in _jobs.WatchAsync(job.Id, limit.Token)) job = moment;
        return job;
    }
}
