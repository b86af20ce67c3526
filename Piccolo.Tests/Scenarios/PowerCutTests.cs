using Piccolo.Rig;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Scenarios;

/// <summary>
/// kill -9 at a random moment of each write path, many times over one state folder: what was acknowledged is there, what was not is there whole or not at
/// all, and the store is always readable. A power cut also takes what the kernel has not written yet: that what is acknowledged was flushed before is shown
/// by <see cref="Core.Durability.TracedWriteTests"/>.
/// </summary>
[Category("Kill")]
[Category("Sealed")]
[Category("NeedsProcess")]
internal sealed class PowerCutTests
{
    private const string Password = TestBox.Password;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private TempFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TempFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCase(1)]
    [TestCase(20, Category = "Slow")]
    public Task Tokens(int rounds) => KillAsync(rounds, seed: 1, async (api, round, i, acknowledged) =>
    {
        await api.PostAsync("/api/v1/auth/tokens", new { name = $"r{round}-{i}" });
        acknowledged.Add($"r{round}-{i}");
        // Below the limit on tokens, whatever the pace.
        if (acknowledged.Count > 40) await RevokeAllAsync(api, acknowledged);
    }, async (api, acknowledged) =>
    {
        var names = (await api.GetAsync("/api/v1/auth/tokens"))["tokens"]!.AsArray().Select(t => (string)t!["name"]!).ToHashSet();
        Assert.That(acknowledged.Where(a => !names.Contains(a)), Is.Empty);
    });

    [TestCase(1)]
    [TestCase(20, Category = "Slow")]
    public Task Apps(int rounds) => KillAsync(rounds, seed: 2, async (api, round, i, acknowledged) =>
    {
        var name = $"app-{i % 20}";
        await api.InstallAsync(Manifest(name, $"registry.test/web:r{round}-{i}"));
        acknowledged.RemoveAll(a => a.StartsWith(name + ' ', StringComparison.Ordinal));
        acknowledged.Add($"{name} r{round}-{i}");
    }, async (api, acknowledged) =>
    {
        var apps = (await api.GetAsync("/api/v1/apps"))["data"]!.AsArray()
            .ToDictionary(a => (string)a!["name"]!, a => Order(((string)a!["image"]!).Split(':')[^1]));
        Assert.That(acknowledged.Select(a => a.Split(' ')).Where(a => !apps.TryGetValue(a[0], out var now) || now < Order(a[1])), Is.Empty,
            "the last acknowledged manifest, or a later one");
    });

    [TestCase(1)]
    [TestCase(20, Category = "Slow")]
    public Task Remote(int rounds) => KillAsync(rounds, seed: 3, async (api, round, i, acknowledged) =>
    {
        await api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = "wss://127.0.0.1:9",
            device_secret = $"s{i}",
            tld = $"r{round}-{i}.test",
            portal_hostname = "portal",
        });
        acknowledged.Clear();
        acknowledged.Add($"r{round}-{i}.test");
    }, async (api, acknowledged) =>
    {
        if (acknowledged.Count == 0) return;
        var now = Order((string)(await api.GetAsync("/api/v1/remote/status"))["tld"]!);
        Assert.That(now, Is.GreaterThanOrEqualTo(Order(acknowledged[0])), "the last acknowledged settings, or later ones");
    });

    [TestCase(1)]
    [TestCase(20, Category = "Slow")]
    public Task Exports(int rounds) => KillAsync(rounds, seed: 4, async (api, round, i, acknowledged) =>
    {
        var job = await api.PostAsync("/api/v1/exports/control");
        using var limit = new CancellationTokenSource(Patience);
        while ((string)job["state"]! == "running")
        {
            await Task.Yield();
            limit.Token.ThrowIfCancellationRequested();
            job = await api.GetAsync($"/api/v1/jobs/{job["id"]}");
        }
        acknowledged.Clear();
        acknowledged.Add((string)job["result"]!);
    }, async (api, acknowledged) =>
    {
        var exports = (await api.GetAsync("/api/v1/exports"))["exports"]!.AsArray();
        Assert.That(acknowledged.Except(exports.Select(e => (string)e!["id"]!)), Is.Empty);
        foreach (var export in exports) await AssertImportableAsync(Path.Combine(_folder.File("state"), "exports", $"{export!["id"]}.piccolo"));
    });

    [TestCase(1)]
    [TestCase(20, Category = "Slow")]
    public async Task SetUpAndFirstUnlock(int rounds)
    {
        var random = new Random(5);
        for (var round = 0; round < rounds; round++)
        {
            var state = _folder.File($"state{round}");
            var claimed = false;
            var unlocked = false;
            await using (var process = await StartAsync(state))
            {
                var work = Task.Run(async () =>
                {
                    await process.Api.SetUpAsync(Password);
                    claimed = true;
                    await process.Api.UnlockAsync(Password);
                    unlocked = true;
                });
                await DelayAsync(TimeSpan.FromMilliseconds(random.Next(0, 1500)));
                await process.KillAsync();
                await work.ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(Patience);
            }
            await using var again = await StartAsync(state);

            var status = await again.Api.GetAsync("/api/v1/crypto/status");
            Assert.That(claimed && !(bool)status["initialized"]!, Is.False, $"round {round}: an acknowledged claim is kept");
            if (!(bool)status["initialized"]!) await again.Api.SetUpAsync(Password);
            await again.Api.UnlockAsync(Password);
            Assert.That((bool)(await again.Api.GetAsync("/api/v1/health/ready"))["ready"]!, Is.True, $"round {round}, unlocked before: {unlocked}");
            await again.KillAsync();
        }
    }

    private async Task KillAsync(
        int rounds, int seed, Func<ApplianceClient, int, int, List<string>, Task> write, Func<ApplianceClient, List<string>, Task> verify)
    {
        var random = new Random(seed);
        var state = _folder.File("state");
        var acknowledged = new List<string>();
        string? token = null;
        for (var round = 0; round <= rounds; round++)
        {
            await using var process = await StartAsync(state);
            if (token is null) await process.Api.SetUpAsync(Password);
            await process.Api.UnlockAsync(Password);
            token ??= await process.Api.TakeTokenAsync("kill");
            process.Api.UseToken(token);
            Assert.That((bool)(await process.Api.GetAsync("/api/v1/health/ready"))["ready"]!, Is.True, $"round {round}");
            await verify(process.Api, acknowledged);
            var audit = await process.Api.PostAsync("/api/v1/system/audit/verify");
            Assert.That((bool)audit["whole"]!, Is.True, $"round {round}: {audit.ToJsonString()}");
            if (round == rounds)
            {
                await process.KillAsync();
                break;
            }
            var current = round;
            var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var work = Task.Run(async () =>
            {
                for (var i = 0; ; i++)
                {
                    await write(process.Api, current, i, acknowledged);
                    running.TrySetResult();
                }
            });
            await Task.WhenAny(running.Task, work).WaitAsync(Patience);
            await DelayAsync(TimeSpan.FromMilliseconds(random.Next(0, 400)));
            await process.KillAsync();
            var end = await Assert.CatchAsync(() => work.WaitAsync(Patience));
            Assert.That(end, Is.InstanceOf<HttpRequestException>().Or.InstanceOf<ObjectDisposedException>().Or.InstanceOf<OperationCanceledException>().Or
                .InstanceOf<IOException>(), "only the kill ended the writing");
        }
        Assert.That(acknowledged, Is.Not.Empty, "something was written between the kills");
    }

    private Task<ApplianceProcess> StartAsync(string state) =>
        ApplianceProcess.StartAsync(state, _folder.File("appliance.log"), LoopbackPorts.Free(1)[0], new Dictionary<string, string>
        {
            ["Piccolo:Ingress:ListenAddress"] = "127.0.0.1",
            ["Piccolo:Nexus:AllowInsecureLoopback"] = "true",
            // An address where nobody is: apps are recorded, and their containers wait.
            ["Piccolo:Containers:Socket"] = _folder.File("nobody.sock"),
        });

    private static async Task AssertImportableAsync(string path)
    {
        using var folder = new TempFolder();
        using var fresh = new TestBox(folder.Path);
        using var intake = new Piccolo.Core.Exports.ImportIntake(fresh.Paths, fresh.Vault,
            Microsoft.Extensions.Options.Options.Create(new Piccolo.Core.Exports.ExportOptions()),
            Microsoft.Extensions.Options.Options.Create(new Piccolo.Core.Vault.VaultOptions()), fresh.Log.For<Piccolo.Core.Exports.ImportIntake>());
        await using var file = File.OpenRead(path);
        Assert.That(await intake.ImportAsync(Password, file, check => check(), CancellationToken.None),
            Is.InstanceOf<Piccolo.Core.Exports.ImportOutcome.Done>());
    }

    private static async Task RevokeAllAsync(ApplianceClient api, List<string> acknowledged)
    {
        foreach (var token in (await api.GetAsync("/api/v1/auth/tokens"))["tokens"]!.AsArray().Where(t => (string)t!["name"]! != "kill"))
        {
            acknowledged.Remove((string)token!["name"]!);
            using var revoked = await api.SendRawAsync(new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/auth/tokens/{token["id"]}"));
            revoked.EnsureSuccessStatusCode();
        }
    }

    /// <summary>The random moment of the power cut: here time itself is what is tested.</summary>
    private static Task DelayAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);

    private static long Order(string domain) =>
        domain.Split('.')[0][1..].Split('-') is [var round, var i] ? long.Parse(round, null) * 1_000_000 + long.Parse(i, null) : 0;

    private static string Manifest(string name, string image) => $"""
        name: {name}
        image: {image}
        listeners:
          - name: {name}
            guest_port: 80
            flow: tcp
            protocol: http
        """;
}
