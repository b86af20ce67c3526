using System.Net;
using DnsClient;
using Piccolo.Rig.Acme;
using Piccolo.Tests.Core.Certificates;

namespace Piccolo.Tests.Tools.Rig;

/// <summary>The option that binds its DNS was renamed between the two editions.</summary>
[Category("Acme"), Category("NeedsPebble")]
internal sealed class ChallengeTestServerTests
{
    [Test]
    public async Task Start_EitherEdition_AnswersNames([Values] PebbleEdition edition)
    {
        using var folder = new TemporaryFolder();
        await using var server = await ChallengeTestServer.StartAsync(folder.Path, edition);
        await server.AddAAsync("web.home.test", "127.0.0.9");

        var answer = await new LookupClient(IPAddress.Loopback, server.DnsPort).QueryAsync("web.home.test", QueryType.A);

        Assert.That(answer.Answers.ARecords().Select(a => a.Address.ToString()), Is.EqualTo(new[] { "127.0.0.9" }));
    }
}
