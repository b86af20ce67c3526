using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Following;
using Piccolo.Core.Containers;
using Piccolo.Core.Jobs;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Apps.Following;

/// <summary>Jobs that follow what the supervisor does over a recording engine.</summary>
internal sealed class AppJobsTests : NotesFixture
{
    private JobTable _table = null!;
    private AppJobs _jobs = null!;

    [SetUp]
    public async Task StartJobs()
    {
        _table = new JobTable(_rig.Time, _rig.Log.For<JobTable>());
        _jobs = new AppJobs(_table, _rig.Store, _rig.Catalog, _rig.Board, _rig.Time);
        await _rig.StartAsync();
    }

    [TearDown]
    public Task StopJobs() => _table.StopAsync(CancellationToken.None).WaitAsync(AppRig.Patience);

    [Test]
    public async Task Install_WithServicesAndVolume_GoesThroughItsStepsToTheEnd()
    {
        var pull = new TaskCompletionSource();
        (_rig.Runtime.PullGate, _rig.Runtime.PullReports) = (pull.Task, [new PullProgress(10, 40)]);
        _rig.Runtime.ExecCodes["db"] = 1;
        var job = Follow(new AppAim.Install(_rig.Install(Notes()), null, IsNew: true));
        Assert.That((job.Kind, job.Subject, job.State), Is.EqualTo(("app.install", "notes", JobState.Running)));

        var fetching = await UntilAsync(job, j => j.Progress is { Phase: "Fetch images", Done: 10 });
        Assert.That((fetching.Progress.Total, fetching.IsCancellable), Is.EqualTo((40L, true)));
        Assert.That(Text(fetching), Is.EqualTo("Fetch images:Running, Open volumes:Waiting, Start db:Waiting, Wait for db:Waiting, Start web:Waiting"));
        Assert.That(fetching.Detail, Does.Match("Fetching localhost/(db|web):1: 0.0 of 0.0 MB."));
        pull.SetResult();
        var waiting = await UntilAsync(job, j => j.Steps.Any(s => s is { Name: "Wait for db", State: StepState.Running }));
        Assert.That(Text(waiting), Is.EqualTo("Fetch images:Done, Open volumes:Done, Start db:Done, Wait for db:Running, Start web:Waiting"));
        Assert.That(waiting.IsCancellable, Is.False);
        _rig.Runtime.ExecCodes["db"] = 0;
        _rig.PassAMinute();
        var end = await EndAsync(job);

        Assert.That((end.State, end.Result, end.Error, end.IsCancellable), Is.EqualTo((JobState.Succeeded, "notes", (JobError?)null, false)));
        Assert.That(end.Steps.Select(s => s.State), Is.All.EqualTo(StepState.Done));
        Assert.That(_rig.Board.Find("notes")!.State, Is.EqualTo(AppState.Running));
    }

    [Test]
    public async Task Install_ImageThatIsNotThere_FailsWithTheReasonWhileTheSupervisorGoesOn()
    {
        _rig.Runtime.Faults["pull localhost/db:1"] = new ContainerFault(ContainerFaultKind.ImageNotFound, "Not there.", "Look.");
        var job = Follow(new AppAim.Install(_rig.Install(Notes()), null, IsNew: true));

        var end = await EndAsync(job);

        Assert.That((end.State, end.Error), Is.EqualTo((JobState.Failed, new JobError("image_not_found", "db: Not there. Look."))));
        Assert.That(end.Steps[0], Is.EqualTo(new JobStep("Fetch images", StepState.Failed, end.Steps[0].Since)));
        var db = _rig.Board.Find("notes")!.Services.Single(s => s.Name == "db");
        Assert.That((db.State, db.Reason, db.NextAttempt), Is.EqualTo((AppState.Failed, AppReason.ImageNotFound, _rig.Board.Find("notes")!.NextAttempt)));
        _rig.Runtime.Faults.Clear();
        _rig.PassAMinute();
        await _rig.UntilAsync("notes", AppState.Running);
    }

    [Test]
    public async Task Start_OfAnAppThatKeepsExiting_FailsAfterAFewAttempts()
    {
        _rig.Runtime.AddImage(Sample);
        _rig.Runtime.ExitAtOnce = 7;
        _rig.Install(AppRig.Manifest("web"));
        var job = Follow(new AppAim.Start(_rig.Catalog.SetDesired("web", DesiredState.Running)!));

        var ending = EndAsync(job);
        // The installation has a first attempt of its own, or none, before the start is seen.
        for (var minutes = 0; !ending.IsCompleted && minutes < 2 * AimJudge.Attempts; minutes++)
        {
            await _rig.UntilAsync("web", AppState.Failed, s => s.NextAttempt > _rig.Time.GetUtcNow());
            _rig.PassAMinute();
        }
        var end = await ending;

        Assert.That(_rig.Runtime.Calls.Count(c => c == "start web"), Is.GreaterThanOrEqualTo(AimJudge.Attempts));
        Assert.That((end.State, end.Error!.Code), Is.EqualTo((JobState.Failed, "exited")));
        Assert.That(_rig.Board.Find("web")!.Services.Single().ExitCode, Is.EqualTo(7));
    }

    [Test]
    public async Task Cancel_NewAppWhileItsImageIsFetched_TakesItBackOut()
    {
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        var job = Follow(new AppAim.Install(_rig.Install(Notes()), null, IsNew: true));
        await UntilAsync(job, j => j.Progress.Phase == "Fetch images");

        var (outcome, cancelled) = _table.Cancel(job.Id);

        Assert.That((outcome, cancelled!.State), Is.EqualTo((CancelOutcome.Done, JobState.Cancelled)));
        Assert.That(_rig.Catalog.Find("notes"), Is.Null);
        await AppRig.UntilAsync(_rig.Board.Changed, () => _rig.Board.Find("notes") is null, () => "the status stays");
        Assert.That(_rig.Runtime.Calls, Has.None.StartsWith("create"));
        Assert.That(_table.Cancel(job.Id), Is.EqualTo((CancelOutcome.Done, cancelled)), "an ended job stays as it is");
    }

    [Test]
    public async Task Cancel_UpdateWhileItsImageIsFetched_LeavesTheAppAsItWas()
    {
        await RunSampleAsync();
        var (before, container) = (_rig.Catalog.Find("web")!, _rig.Runtime.Containers.Single());
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        var updated = (InstallOutcome.Updated)_rig.Install(AppRig.Manifest("web", "localhost/other:2", "web", "more"));
        var job = Follow(new AppAim.Install(updated.App, updated.Before, IsNew: false));
        await UntilAsync(job, j => j.Progress.Phase == "Fetch images");
        var status = await _rig.UntilAsync("web", AppState.Updating);
        Assert.That((status.IsServing, status.Services.Single().State), Is.EqualTo((true, AppState.Updating)));

        Assert.That(_table.Cancel(job.Id).Outcome, Is.EqualTo(CancelOutcome.Done));

        await _rig.UntilAsync("web", AppState.Running);
        var now = _rig.Catalog.Find("web")!;
        Assert.That((now.ManifestText, now.Ports, now.UpdatedAt > updated.App.UpdatedAt), Is.EqualTo((before.ManifestText, before.Ports, true)));
        Assert.That(_rig.Runtime.Containers.Single(), Is.EqualTo(container));
        Assert.That(_rig.Listeners.Current.Select(l => l.Name), Is.EqualTo(new[] { "web" }));
    }

    [Test]
    public async Task Cancel_UpdateWhoseOldListenerAnotherAppHasNow_IsRefused()
    {
        await RunSampleAsync();
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        var updated = (InstallOutcome.Updated)_rig.Install(AppRig.Manifest("web", "localhost/other:2", "more"));
        var job = Follow(new AppAim.Install(updated.App, updated.Before, IsNew: false));
        _rig.Install(AppRig.Manifest("taker", "localhost/other:2", "web"));

        Assert.That(_table.Cancel(job.Id).Outcome, Is.EqualTo(CancelOutcome.NotCancellable));

        Assert.That(_rig.Catalog.Find("web")!.UpdatedAt, Is.EqualTo(updated.App.UpdatedAt));
        Assert.That(_rig.Catalog.Find("web")!.ManifestText, Is.EqualTo(updated.App.ManifestText));
        Assert.That(_rig.Catalog.Fetching.IsOpen("web", updated.App.UpdatedAt), Is.True, "it goes on");
    }

    [Test]
    public async Task Cancel_AfterTheImagesAreHere_IsRefusedAndTheJobGoesOn()
    {
        _rig.Runtime.ExecCodes["db"] = 1;
        var job = Follow(new AppAim.Install(_rig.Install(Notes()), null, IsNew: true));
        await UntilAsync(job, j => j.Steps.Any(s => s is { Name: "Start db", State: StepState.Done }));

        Assert.That(_table.Cancel(job.Id).Outcome, Is.EqualTo(CancelOutcome.NotCancellable));

        Assert.That(_rig.Catalog.Find("notes"), Is.Not.Null);
        _rig.Runtime.ExecCodes["db"] = 0;
        _rig.PassAMinute();
        Assert.That((await EndAsync(job)).State, Is.EqualTo(JobState.Succeeded));
    }

    [Test]
    public async Task Cancel_OfAnythingElse_IsRefused()
    {
        await RunSampleAsync();
        var gate = new TaskCompletionSource();
        _rig.Runtime.StopGate = gate.Task;
        var job = Follow(new AppAim.Stop(_rig.Catalog.SetDesired("web", DesiredState.Stopped)!));

        Assert.That(_table.Cancel(job.Id).Outcome, Is.EqualTo(CancelOutcome.NotCancellable));

        gate.SetResult();
        var end = await EndAsync(job);
        Assert.That((end.State, Text(end)), Is.EqualTo((JobState.Succeeded, "Stop services:Done, Close volumes:Done")));
    }

    [Test]
    public async Task Command_AfterAnother_TakesThePlaceOfItsJob()
    {
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        var install = Follow(new AppAim.Install(_rig.Install(Notes()), null, IsNew: true));

        var removal = Follow(new AppAim.Remove(_rig.Catalog.Remove("notes")!));

        Assert.That((_table.Find(install.Id)!.State, _table.Find(install.Id)!.Error!.Code), Is.EqualTo((JobState.Interrupted, "superseded")));
        var end = await EndAsync(removal);
        Assert.That((end.State, Text(end)), Is.EqualTo((JobState.Succeeded, "Stop services:Done, Remove containers:Done, Close volumes:Done")));
    }

    [Test]
    public async Task Change_WithoutAJobOfItsOwn_InterruptsTheOneThatItContradicts()
    {
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        var job = Follow(new AppAim.Install(_rig.Install(Notes()), null, IsNew: true));

        _rig.Catalog.SetDesired("notes", DesiredState.Stopped);

        var end = await EndAsync(job);
        Assert.That((end.State, end.Error!.Code), Is.EqualTo((JobState.Interrupted, "superseded")));
    }

    [Test]
    public async Task Lock_InterruptsWhatIsFollowed()
    {
        _rig.Runtime.PullGate = new TaskCompletionSource().Task;
        var job = Follow(new AppAim.Install(_rig.Install(Notes()), null, IsNew: true));

        _rig.Lock();

        var end = await EndAsync(job);
        Assert.That((end.State, end.Error!.Code), Is.EqualTo((JobState.Interrupted, "locked")));
    }

    [Test]
    public async Task Start_OfAnAppThatRuns_EndsOnlyWhenThatWasSeenAnew()
    {
        await RunSampleAsync();

        var end = await EndAsync(Follow(new AppAim.Start(_rig.Catalog.SetDesired("web", DesiredState.Running)!)));

        Assert.That((end.State, Text(end)), Is.EqualTo((JobState.Succeeded, "Fetch images:Done, Start app:Done")));
        Assert.That(_rig.Board.Find("web")!.Revision, Is.EqualTo(_rig.Catalog.Find("web")!.UpdatedAt));
    }

    [Test]
    public async Task EngineAway_IsSaidInTheJobThatWaitsForIt()
    {
        _rig.Runtime.EngineFault = RecordingContainerRuntime.Unreachable;
        var job = Follow(new AppAim.Install(_rig.Install(Notes()), null, IsNew: true));

        var said = await UntilAsync(job, j => j.Detail is not null);
        Assert.That(said.Detail, Is.EqualTo("The container engine does not answer. Start it."));
        _rig.Runtime.EngineFault = null;
        _rig.PassAMinute();

        Assert.That((await EndAsync(job)).State, Is.EqualTo(JobState.Succeeded));
    }

    private async Task RunSampleAsync()
    {
        _rig.Runtime.AddImage(Sample);
        _rig.Install(AppRig.Manifest("web"));
        await _rig.UntilAsync("web", AppState.Running);
    }

    private Job Follow(AppAim aim) => _jobs.Follow(aim, _ => _ => null)!;

    private static string Text(Job job) => string.Join(", ", job.Steps.Select(s => $"{s.Name}:{s.State}"));

    private Task<Job> EndAsync(Job job) => UntilAsync(job, j => j.HasEnded);

    /// <summary>Also moments that come after the wanted one are fine, but for an end that is none.</summary>
    private async Task<Job> UntilAsync(Job job, Func<Job, bool> isSo)
    {
        using var limit = new CancellationTokenSource(AppRig.Patience);
        try
        {
            await foreach (var moment in _table.WatchAsync(job.Id, limit.Token))
                if (isSo(moment)) return moment;
        }
        catch (OperationCanceledException)
        {
            // Said below.
        }
        Assert.Fail($"{_table.Find(job.Id)} {Text(_table.Find(job.Id)!)}; {_rig.Board.Find(job.Subject!)}; {string.Join('\n', _rig.Log.Lines)}");
        return job;
    }
}
