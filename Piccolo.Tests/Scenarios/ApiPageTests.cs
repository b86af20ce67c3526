using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Piccolo.Rig;
using Piccolo.Rig.Stack;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Scenarios;

/// <summary>
/// The calls with curl in <c>docs/owner/api.md</c>, run as they stand by bash and curl
/// against a daemon: each answer has the status that its comment promises.
/// </summary>
[Category("Sealed")]
[Category("NeedsProcess")]
internal sealed partial class ApiPageTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const string Section = "## Driving it with curl";

    private TempFolder _folder = null!;
    private ApplianceProcess _appliance = null!;

    [SetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        await File.WriteAllTextAsync(_folder.File("roles.json"), "{}");
        _appliance = await ApplianceProcess.StartAsync(_folder.File("state"), _folder.File("appliance.log"), LoopbackPorts.Free(1)[0],
            new Dictionary<string, string>
            {
                // Nobody is there: an app is recorded, and its container waits.
                ["Piccolo:Containers:Socket"] = _folder.File("nobody.sock"),
                ["Piccolo:Leadership:Mode"] = "file",
                ["Piccolo:Leadership:File"] = _folder.File("roles.json"),
            });
    }

    [TearDown]
    public async Task TearDown()
    {
        await _appliance.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Calls_RunAsTheyStand_AnswerWhatThePageSays()
    {
        var script = Script();

        var run = await BashAsync(script);

        // A call without a comment of its own succeeds.
        var promised = ShownCall.Matches(script).Select(c => c.Groups["status"] is { Success: true } s ? s.Value : "200").ToList();
        Assert.That(StatusLine.Matches(run.Output).Select(m => m.Groups[1].Value), Is.EqualTo(promised), run.Output);
        Assert.That(promised, Is.EqualTo(new[] { "423", "200", "423", "200", "401", "400", "201" }),
            "set up, locked, unlocked, without a session, a bad manifest, a good one");
        Assert.That(run.Output, Does.Contain("\"code\":\"setup_required\"").And.Contain("\"code\":\"locked\"").And.Contain("\"code\":\"unauthorized\""));
        var errors = Regex.Match(run.Output, "\"errors\":\\{[^}]*\\}").Value;
        Assert.That(errors, Does.Contain("\"name\"").And.Contain("\"image\""), "every error of the manifest at once");
        Assert.That(run.Output, Does.Match("\"services\":\\[\\{.*\"hello\""), "the last call lists the app's listener");
        Assert.That(run.ExitCode, Is.Zero, run.Output);
    }

    [Test]
    public async Task Write_OnAFollower_LeadsCurlToTheLeader()
    {
        await using var leader = await FakeApp.StartAsync(http => http.Response.WriteAsync("the leader's answer"));
        await BashAsync(Script());
        await _appliance.Api.UnlockAsync("correct horse battery staple");
        var token = await _appliance.Api.TakeTokenAsync("follower");
        var origin = $"http://127.0.0.1:{leader.Port}";
        await FollowAsync(origin);

        var hint = await CurlAsync(token, "-i");
        var dropped = await CurlAsync(token, "-L");
        var withoutToken = await leader.NextRequestAsync();
        var kept = await CurlAsync(token, "--location-trusted");
        var withToken = await leader.NextRequestAsync();

        Assert.That(StatusLine.Match(hint.Output).Groups[1].Value, Is.EqualTo("307"));
        Assert.That(hint.Output,
            Does.Contain($"Location: {origin}/api/v1/apps\r\n").And.Contain($"Piccolo-Leader: {origin}\r\n").And.Contain("\"code\":\"not_leader\""));
        Assert.That((dropped.Output, kept.Output), Is.EqualTo(("the leader's answer", "the leader's answer")));
        Assert.That(withoutToken.Authorization.ToString(), Is.Empty, "the port is another");
        Assert.That(withToken.Authorization.ToString(), Is.EqualTo("Bearer " + token));
    }

    /// <summary>The commands of the section, against this appliance.</summary>
    private string Script()
    {
        var page = File.ReadAllText(Repository.File("docs/owner/api.md"));
        var section = page[page.IndexOf(Section, StringComparison.Ordinal)..];
        var begin = section.IndexOf("```\n", StringComparison.Ordinal) + 4;
        var commands = section[begin..section.IndexOf("```", begin, StringComparison.Ordinal)];
        Assert.That(commands, Does.Contain("\napi=").Or.StartWith("api="));
        return ApiAddress.Replace(commands, $"api={_appliance.Api.BaseAddress}api/v1", 1);
    }

    private async Task<ToolRun> BashAsync(string script)
    {
        await File.WriteAllTextAsync(_folder.File("script.sh"), $"set -e\ncd '{_folder.Path}'\n{script}");
        return await ToolRun.OfAsync("bash", [_folder.File("script.sh")]);
    }

    private Task<ToolRun> CurlAsync(string token, string option) => ToolRun.OfAsync("curl",
        ["-s", option, $"{_appliance.Api.BaseAddress}api/v1/apps", "-H", $"Authorization: Bearer {token}", "-H", "Content-Type: application/yaml", "-d",
            "name: x"]);

    /// <summary>The file names another leader; the appliance's own view tells when it has seen that.</summary>
    private async Task FollowAsync(string leader)
    {
        await File.WriteAllTextAsync(_folder.File("roles.json"), $$$"""{"control-plane":{"role":"follower","leader":"{{{leader}}}"}}""");
        await new Observer(TimeProvider.System).UntilAsync(Patience, async _ =>
        {
            var role = (await _appliance.Api.GetAsync("/api/v1/cluster/leadership")).ToJsonString();
            return role.Contains(leader, StringComparison.Ordinal) ? role : null;
        }, () => Task.FromResult("the leadership file is not followed"));
    }

    // Bodies end without a new line, so the next answer begins in the middle of one.
    [GeneratedRegex(@"HTTP/1\.1 (\d{3}) ")]
    private static partial Regex StatusLine { get; }

    [GeneratedRegex(@"^curl -i [^\n#]*?(#\s*(?<status>\d{3})\b[^\n]*)?$", RegexOptions.Multiline)]
    private static partial Regex ShownCall { get; }

    [GeneratedRegex(@"^api=\S+", RegexOptions.Multiline)]
    private static partial Regex ApiAddress { get; }
}
