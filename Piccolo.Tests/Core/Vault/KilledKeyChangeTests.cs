using Piccolo.DevStack;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Vault;

/// <summary>SIGKILL while the key set is being replaced, at the moments that the file system shows: the old key set or the new one is whole.</summary>
[Category("Sealed")]
internal sealed class KilledKeyChangeTests
{
    private const string NewPassword = "harbour kettle violin mosaic";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [TestCase(WatcherChangeTypes.Created)]
    [TestCase(WatcherChangeTypes.Changed)]
    [TestCase(WatcherChangeTypes.Renamed)]
    public async Task PasswordChange_Killed_OneOfTheTwoPasswordsOpens(WatcherChangeTypes moment)
    {
        using var folder = new TempFolder();
        var state = folder.File("state");
        var appliance = await StartAsync(folder, state);
        await appliance.Api.SetUpAsync(TestAppliance.Password);
        await appliance.Api.UnlockAsync(TestAppliance.Password);
        await appliance.Api.TakeTokenAsync("test");

        await KillAtAsync(moment, state, appliance, () => appliance.Api.PostAsync("/api/v1/auth/password", new { old_password = TestAppliance.Password, new_password = NewPassword }));

        await using var restarted = await StartAsync(folder, state);
        var opened = await OpensAsync(restarted, TestAppliance.Password) ? 1 : 0;
        opened += await OpensAsync(restarted, NewPassword) ? 1 : 0;
        Assert.That(opened, Is.EqualTo(1));
        Assert.That(Directory.EnumerateFiles(state, "*.tmp"), Is.Empty);
    }

    [TestCase(WatcherChangeTypes.Created, Category = "Slow")]
    [TestCase(WatcherChangeTypes.Renamed)]
    public async Task Reset_Killed_OneOfTheTwoPasswordsOpensAndTheWordsStayGood(WatcherChangeTypes moment)
    {
        using var folder = new TempFolder();
        var state = folder.File("state");
        var (appliance, words) = await WithWordsAsync(folder, state);

        await KillAtAsync(moment, state, appliance, () => ResetAsync(appliance.Api, words, NewPassword));

        await using var restarted = await StartAsync(folder, state);
        var opened = await OpensAsync(restarted, TestAppliance.Password) ? 1 : 0;
        opened += await OpensAsync(restarted, NewPassword) ? 1 : 0;
        Assert.That(opened, Is.EqualTo(1));
        await ResetAsync(restarted.Api, words, TestAppliance.Password);
        Assert.That(await OpensAsync(restarted, TestAppliance.Password), Is.True);
    }

    [TestCase(WatcherChangeTypes.Created)]
    [TestCase(WatcherChangeTypes.Renamed, Category = "Slow")]
    public async Task RecoveryKeyRotated_Killed_ThereIsOneAndThePasswordOpens(WatcherChangeTypes moment)
    {
        using var folder = new TempFolder();
        var state = folder.File("state");
        var (appliance, words) = await WithWordsAsync(folder, state);

        await KillAtAsync(moment, state, appliance, () => appliance.Api.PostAsync("/api/v1/crypto/recovery-key/generate", new { password = TestAppliance.Password }));

        await using var restarted = await StartAsync(folder, state);
        Assert.That(await OpensAsync(restarted, TestAppliance.Password), Is.True);
        await restarted.Api.TakeTokenAsync("after");
        Assert.That((bool)(await restarted.Api.GetAsync("/api/v1/crypto/recovery-key"))["present"]!, Is.True);
        // The old words work, or new ones were made whose words died with the answer; they can be made anew.
        try
        {
            await ResetAsync(restarted.Api, words, NewPassword);
            Assert.That(await OpensAsync(restarted, NewPassword), Is.True);
        }
        catch (ApplianceRefusedException e)
        {
            Assert.That((int)e.Status, Is.EqualTo(401));
            await restarted.Api.PostAsync("/api/v1/crypto/recovery-key/generate", new { password = TestAppliance.Password });
        }
    }

    [TestCase(WatcherChangeTypes.Created, Category = "Slow")]
    [TestCase(WatcherChangeTypes.Renamed)]
    public async Task UnlockThatRaisesTheCost_Killed_ThePasswordOpens(WatcherChangeTypes moment)
    {
        using var folder = new TempFolder();
        var state = folder.File("state");
        await using (var cheap = await StartAsync(folder, state)) await cheap.Api.SetUpAsync(TestAppliance.Password);
        var appliance = await StartAsync(folder, state, iterations: 3);

        await KillAtAsync(moment, state, appliance, () => appliance.Api.UnlockAsync(TestAppliance.Password));

        await using var restarted = await StartAsync(folder, state, iterations: 3);
        Assert.That(await OpensAsync(restarted, TestAppliance.Password), Is.True);
        Assert.That(await File.ReadAllTextAsync(Path.Combine(state, "keyset.json")), Does.Contain("\"iterations\": 3"));
    }

    [TestCase(WatcherChangeTypes.Created)]
    [TestCase(WatcherChangeTypes.Renamed)]
    public async Task SetUp_Killed_IsUnclaimedOrOpens(WatcherChangeTypes moment)
    {
        using var folder = new TempFolder();
        var state = folder.File("state");
        var appliance = await StartAsync(folder, state);

        await KillAtAsync(moment, state, appliance, () => appliance.Api.SetUpAsync(TestAppliance.Password));

        await using var restarted = await StartAsync(folder, state);
        if (!(bool)(await restarted.Api.GetAsync("/api/v1/crypto/status"))["initialized"]!) await restarted.Api.SetUpAsync(TestAppliance.Password);
        Assert.That(await OpensAsync(restarted, TestAppliance.Password), Is.True);
    }

    private static async Task KillAtAsync(WatcherChangeTypes moment, string state, ApplianceProcess appliance, Func<Task> change)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(state, "keyset.json*") { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size };
        watcher.Created += (_, e) => Seen(e.ChangeType);
        watcher.Changed += (_, e) => Seen(e.ChangeType);
        watcher.Renamed += (_, e) => Seen(e.ChangeType);
        watcher.EnableRaisingEvents = true;

        var changing = change();
        await seen.Task.WaitAsync(Limit);
        await appliance.KillAsync();
        try
        {
            await changing;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            // The answer died with the process, unless it was faster.
        }

        void Seen(WatcherChangeTypes type)
        {
            if (type == moment) seen.TrySetResult();
        }
    }

    private static async Task<(ApplianceProcess Appliance, string Words)> WithWordsAsync(TempFolder folder, string state)
    {
        var appliance = await StartAsync(folder, state);
        await appliance.Api.SetUpAsync(TestAppliance.Password);
        await appliance.Api.UnlockAsync(TestAppliance.Password);
        await appliance.Api.TakeTokenAsync("test");
        var made = await appliance.Api.PostAsync("/api/v1/crypto/recovery-key/generate", new { password = TestAppliance.Password });
        return (appliance, string.Join(' ', made["words"]!.AsArray().Select(w => (string)w!)));
    }

    private static Task<System.Text.Json.Nodes.JsonNode> ResetAsync(ApplianceClient api, string words, string password) => api.PostAsync("/api/v1/crypto/reset-password", new { recovery_key = words, new_password = password });

    private static Task<ApplianceProcess> StartAsync(TempFolder folder, string state, int iterations = 2) => ApplianceProcess.StartAsync(
        state, folder.File("appliance.log"), LoopbackPorts.Free(1)[0], new Dictionary<string, string> { ["Piccolo:Containers:Socket"] = "", ["Piccolo:Vault:Kdf:Iterations"] = $"{iterations}" });

    private static async Task<bool> OpensAsync(ApplianceProcess appliance, string password)
    {
        try
        {
            await appliance.Api.UnlockAsync(password);
            return true;
        }
        catch (ApplianceRefusedException e) when ((int)e.Status == 401)
        {
            return false;
        }
    }
}
