using System.Net.Http.Headers;
using Piccolo.DevStack;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Scenarios;

/// <summary>kill -9 while a snapshot is taken, and while an export is put onto a fresh box, at moments that the file system shows.</summary>
[Category("Kill")]
[Category("Sealed")]
internal sealed class KilledUpkeepTests
{
    private const string Password = TestBox.Password;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TempFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TempFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCase(1)]
    [TestCase(3, Category = "Slow")]
    [TestCase(6, Category = "Slow")]
    public async Task Snapshot_Killed_LeavesAWholeStoreAndWholeSnapshots(int events)
    {
        var state = _folder.File("state");
        var snapshots = Path.Combine(state, "snapshots");
        var appliance = await StartAsync(state, ("Piccolo:ControlStore:CheckInterval", "00:00:01"), ("Piccolo:ControlStore:SnapshotInterval", "00:00:01"));
        await appliance.Api.SetUpAsync(Password);
        Directory.CreateDirectory(snapshots);
        using (var moment = new Moment(snapshots, events))
        {
            await appliance.Api.UnlockAsync(Password);
            // Each round of the upkeep finds something new to keep.
            for (var i = 0; !moment.Come.IsCompleted; i++)
            {
                await appliance.Api.PostAsync("/api/v1/crypto/unlock", new { password = Password });
                await Task.WhenAny(moment.Come, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System));
                Assert.That(i, Is.LessThan(60), "snapshots are taken");
            }
            await appliance.KillAsync();
        }

        await using var restarted = await StartAsync(state, ("Piccolo:ControlStore:CheckInterval", "00:00:01"), ("Piccolo:ControlStore:SnapshotInterval", "00:00:01"));
        using (var next = new Moment(snapshots, 1))
        {
            await restarted.Api.UnlockAsync(Password);
            Assert.That((bool)(await restarted.Api.GetAsync("/api/v1/health/ready"))["ready"]!, Is.True);
            await next.Come.WaitAsync(Limit);
        }
        await restarted.KillAsync();
        foreach (var copy in Directory.GetFiles(snapshots, "control-*.db")) await AssertOpensAsync(state, copy);
    }

    [TestCase(1)]
    [TestCase(6)]
    [TestCase(10)]
    [TestCase(3, Category = "Slow")]
    [TestCase(8, Category = "Slow")]
    [TestCase(12, Category = "Slow")]
    public async Task Import_Killed_IsUnclaimedOrTheExportedBox(int events)
    {
        var export = await ExportAsync();
        var state = Directory.CreateDirectory(_folder.File("fresh")).FullName;
        var fresh = await StartAsync(state);
        using (var moment = new Moment(state, events))
        {
            var importing = ImportAsync(fresh.Api, export);
            await Task.WhenAny(moment.Come, importing).WaitAsync(Limit);
            await fresh.KillAsync();
            await importing.ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(Limit);
        }

        await using var restarted = await StartAsync(state);
        if (!(bool)(await restarted.Api.GetAsync("/api/v1/crypto/status"))["initialized"]!) await ImportAsync(restarted.Api, export);
        await restarted.Api.UnlockAsync(Password);
        await restarted.Api.TakeTokenAsync("after");
        Assert.That((await restarted.Api.GetAsync("/api/v1/auth/tokens"))["tokens"]!.AsArray().Select(t => (string?)t!["name"]), Is.EquivalentTo(new[] { "exported", "after" }));
        Assert.That((bool)(await restarted.Api.GetAsync("/api/v1/health/ready"))["ready"]!, Is.True);
        Assert.That(Directory.GetDirectories(state, "import.*"), Is.Empty);
    }

    private async Task<string> ExportAsync()
    {
        var state = _folder.File("exported");
        await using var appliance = await StartAsync(state);
        await appliance.Api.SetUpAsync(Password);
        await appliance.Api.UnlockAsync(Password);
        await appliance.Api.TakeTokenAsync("exported");
        var job = await appliance.Api.PostAsync("/api/v1/exports/control");
        using var events = await appliance.Api.SendRawAsync(new HttpRequestMessage(HttpMethod.Get, $"/api/v1/jobs/{job["id"]}/events"));
        Assert.That(await events.Content.ReadAsStringAsync().WaitAsync(Limit), Does.Contain("\"state\":\"succeeded\""));
        return Directory.GetFiles(Path.Combine(state, "exports"), "*.piccolo").Single();
    }

    private static async Task ImportAsync(ApplianceClient api, string export)
    {
        await using var file = File.OpenRead(export);
        using var content = new StreamContent(file);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var form = new MultipartFormDataContent { { new StringContent(Password), "password" }, { content, "file", "export.piccolo" } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/exports/import") { Content = form };
        using var response = await api.SendRawAsync(request);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>As an owner restores it.</summary>
    private async Task AssertOpensAsync(string state, string snapshot)
    {
        var restored = Directory.CreateDirectory(_folder.File("restored-" + Path.GetFileName(snapshot))).FullName;
        File.Copy(Path.Combine(state, "keyset.json"), Path.Combine(restored, "keyset.json"));
        File.Copy(snapshot, Path.Combine(restored, "control.db"));
        using var box = new TestBox(restored);
        await box.UnlockAsync();
        Assert.That(box.Store.Check(), Is.True, snapshot);
    }

    private Task<ApplianceProcess> StartAsync(string state, params (string Key, string Value)[] settings) => ApplianceProcess.StartAsync(
        state, _folder.File("appliance.log"), LoopbackPorts.Free(1)[0],
        new Dictionary<string, string>(settings.Select(s => KeyValuePair.Create(s.Key, s.Value))) { ["Piccolo:Ingress:ListenAddress"] = "127.0.0.1", ["Piccolo:Containers:Socket"] = "" });

    /// <summary>Comes with the n-th thing that happens in a folder.</summary>
    private sealed class Moment : IDisposable
    {
        private readonly FileSystemWatcher _watcher;
        private readonly TaskCompletionSource _come = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _seen;

        public Moment(string folder, int events)
        {
            _watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite };
            _watcher.Created += Count;
            _watcher.Changed += Count;
            _watcher.Renamed += Count;
            _watcher.EnableRaisingEvents = true;

            void Count(object sender, FileSystemEventArgs e)
            {
                if (Interlocked.Increment(ref _seen) >= events) _come.TrySetResult();
            }
        }

        public Task Come => _come.Task;

        public void Dispose() => _watcher.Dispose();
    }
}
