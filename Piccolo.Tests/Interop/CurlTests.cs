using System.Globalization;
using static Piccolo.Tests.Interop.InteropRig;

namespace Piccolo.Tests.Interop;

/// <summary>curl and nghttp against a terminated name.</summary>
[Category("Interop")]
[Category("NeedsProcess")]
internal sealed class CurlTests
{
    private InteropRig _rig = null!;

    [SetUp]
    public async Task SetUp() => _rig = await StartAsync();

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [TestCase("--http1.1", "1.1")]
    [TestCase("--http2", "2")]
    public async Task Curl_Get_IsVerifiedAndAnswered(string option, string version)
    {
        var run = await CurlAsync(option, "--write-out", "version=%{http_version} verify=%{ssl_verify_result} status=%{response_code}", "--dump-header", "-",
            _rig.Url());

        Assert.That(run.ExitCode, Is.Zero, run.Output);
        Assert.That(run.Output, Does.Contain("hello from " + Host).And.Contain("for 127.0.0.1").And.Contain($"version={version} verify=0 status=200"));
        Assert.That(run.Output, Does.Contain("trict-").IgnoreCase.And.Contain("max-age=31536000"));
    }

    [TestCase("--http1.1")]
    [TestCase("--http2")]
    public async Task Curl_Upload_IsTakenWhole(string option)
    {
        const int Size = 20_000_000;
        await File.WriteAllBytesAsync(_rig.File("upload"), new byte[Size]);

        // A body of this size makes curl ask first: Expect: 100-continue.
        var run = await CurlAsync(option, "--data-binary", "@" + _rig.File("upload"), _rig.Url("/length"));

        Assert.That(run.Output, Is.EqualTo(Size.ToString(CultureInfo.InvariantCulture)), run.Output);
    }

    [Test]
    public async Task Curl_UnknownName_IsRefusedInTheHandshake()
    {
        var run = await ToolRun.OfAsync("curl", ["--silent", "--show-error", "--cacert", _rig.RootFile, "--resolve", $"unknown.home.test:{_rig.Port}:127.0.0.1",
            $"https://unknown.home.test:{_rig.Port}/"]);

        Assert.That(run.ExitCode, Is.EqualTo(35), run.Output);
        Assert.That(run.Output, Does.Contain("unrecognized name"));
    }

    [Test]
    public async Task Nghttp_SeveralRequests_AreAnsweredOnOneConnection()
    {
        var run = await ToolRun.OfAsync("nghttp",
            ["--verbose", "--header", $":authority: {Host}", $"https://127.0.0.1:{_rig.Port}/", $"https://127.0.0.1:{_rig.Port}/length"]);

        Assert.That(run.ExitCode, Is.Zero, run.Output);
        Assert.That(System.Text.RegularExpressions.Regex.Count(run.Output, ":status: 200"), Is.EqualTo(2), run.Output);
        Assert.That(run.Output, Does.Contain("The negotiated protocol: h2").And.Contain("hello from " + Host));
        Assert.That(System.Text.RegularExpressions.Regex.Count(run.Output, "Connected"), Is.EqualTo(1), run.Output);
    }

    private Task<ToolRun> CurlAsync(params string[] arguments) =>
        ToolRun.OfAsync("curl", ["--silent", "--show-error", "--cacert", _rig.RootFile, "--resolve", $"{Host}:{_rig.Port}:127.0.0.1", .. arguments]);
}
