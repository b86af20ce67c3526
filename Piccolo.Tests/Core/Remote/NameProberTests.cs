using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Dns;
using Piccolo.Core.Remote.Probing;
using Piccolo.Tests.Fakes.Relays;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Core.Remote;

/// <summary>One look at a name against whatever may answer on a public address.</summary>
internal sealed class NameProberTests
{
    private const string Name = "portal.home.test";

    private readonly ServerCertificateTable _certificates = new();
    private TestCa _ca = null!;
    private PublicDoor _door = null!;
    private X509Certificate2 _own = null!;

    [SetUp]
    public void SetUp()
    {
        (_ca, _door) = (new TestCa(), new PublicDoor());
        _own = _ca.IssueLeaf(Name);
        _certificates.Replace([new ServerCertificateBundle(_own, [], [Piccolo.Core.Primitives.DomainName.Parse(Name)])]);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _door.DisposeAsync();
        _own.Dispose();
        _ca.Dispose();
    }

    [Test]
    public async Task Probe_NoCertificateHeld_IsUnknownAndDialsNobody()
    {
        _certificates.Replace([]);

        var seen = await ProbeAsync();

        Assert.That(seen.Result, Is.EqualTo(ReachResult.Unknown));
        Assert.That(_door.Accepted, Is.Zero);
    }

    [Test]
    public async Task Probe_OtherKeyOfTheSameIssuerAndName_IsWrongKeyAndSendsNothing()
    {
        using var stranger = _ca.IssueLeaf(Name);
        _door.EndsTls(stranger);

        var seen = await ProbeAsync();

        Assert.That(seen.Result, Is.EqualTo(ReachResult.WrongKey));
        Assert.That(seen.Detail, Does.Contain("Test Intermediate"));
        Assert.That(_door.Overheard, Is.Zero);
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP status 200")]
    [TestCase("220 mail ready\r\n", "not HTTP")]
    [TestCase("", "without an answer")]
    public async Task Probe_OwnKeyButAnotherAnswer_IsDead(string answer, string detail)
    {
        _door.SaysUnderTls(_own, Encoding.ASCII.GetBytes(answer));

        var seen = await ProbeAsync();

        Assert.That(seen.Result, Is.EqualTo(ReachResult.Dead), seen.Detail);
        Assert.That(seen.Detail, Does.Contain(detail).Or.Contain("broke the connection"));
    }

    [Test]
    public async Task Probe_AnswerWithoutEnd_IsReadToItsLimitOnly()
    {
        _door.SaysUnderTls(_own, new byte[64 * 1024], forEver: true);

        var seen = await ProbeAsync();

        Assert.That(seen.Result, Is.EqualTo(ReachResult.Dead));
        Assert.That(seen.Detail, Does.Contain("something else answered"));
    }

    [TestCase("485454502F312E3120343030205468696E6B20616761696E0D0A0D0A", Description = "HTTP in clear text")]
    [TestCase("15030100020270", Description = "the alert unrecognized_name")]
    [TestCase("160303FFFF", Description = "the head of a record that never comes")]
    [TestCase("", Description = "nothing")]
    public async Task Probe_NoHandshake_IsDead(string bytes)
    {
        _door.Says(Convert.FromHexString(bytes));

        Assert.That((await ProbeAsync()).Result, Is.EqualTo(ReachResult.Dead));
    }

    [Test]
    public async Task Probe_Silence_IsDeadWhenTheLimitIsOver()
    {
        _door.SaysNothing();

        var seen = await ProbeAsync(o => o.ProbeTimeout = TimeSpan.FromMilliseconds(200));

        Assert.That(seen.Result, Is.EqualTo(ReachResult.Dead));
        Assert.That(seen.Detail, Does.Contain("within 0.2 s"));
    }

    [Test]
    public async Task Probe_HandshakeOnlyName_ProvesTheKeyAndSendsNothing()
    {
        _door.EndsTls(_own);

        var seen = await ProbeAsync(kind: ProbeKind.Handshake);

        Assert.That(seen.Result, Is.EqualTo(ReachResult.Reachable));
        Assert.That(seen.RoundTrip, Is.GreaterThan(TimeSpan.Zero));
        Assert.That(_door.Overheard, Is.Zero);
    }

    [Test]
    public async Task Probe_DnsServerThatIsNotThere_IsDns()
    {
        var seen = await ProbeAsync(o =>
        {
            o.ProbeResolver = "127.0.0.1:1";
            o.DnsTimeout = TimeSpan.FromMilliseconds(200);
        });

        Assert.That(seen.Result, Is.EqualTo(ReachResult.Dns));
        Assert.That(seen.Detail, Does.Contain(Name));
    }

    [TestCase(ProbeKind.Elsewhere)]
    [TestCase(ProbeKind.ClearText)]
    public async Task Probe_NameThatCannotBeCompared_IsUnknownWithTheReason(ProbeKind kind)
    {
        var seen = await ProbeAsync(kind: kind);

        Assert.That((seen.Result, _door.Accepted), Is.EqualTo((ReachResult.Unknown, 0)));
        Assert.That(seen.Detail, Is.Not.Empty);
    }

    [Test]
    public void Nonce_IsAnsweredForItsNameOnlyAndOnlyWhileItStands()
    {
        var nonces = new ProbeNonces();
        var question = nonces.Begin(Name);

        Assert.That(nonces.Find(Name, question.Nonce), Is.EqualTo(question.Answer));
        Assert.That(question.Answer, Is.Not.EqualTo(question.Nonce), "the path must not tell the answer");
        Assert.That(nonces.Find("other.home.test", question.Nonce), Is.Null);
        question.Dispose();
        Assert.That(nonces.Find(Name, question.Nonce), Is.Null);
    }

    [TestCase("", true)]
    [TestCase("9.9.9.9", true)]
    [TestCase("127.0.0.1:8053", true)]
    [TestCase("[::1]:53", true)]
    [TestCase("fixed:192.0.2.1", true)]
    [TestCase("fixed:relay.test", false)]
    [TestCase("dns.test", false)]
    public void Options_Resolver_IsCheckedAtStart(string text, bool isValid) => Assert.That(
        new RemoteOptionsValidator().Validate(null, new RemoteOptions { ProbeResolver = text }).Succeeded, Is.EqualTo(isValid));

    private Task<Observation> ProbeAsync(Action<RemoteOptions>? change = null, ProbeKind kind = ProbeKind.Request)
    {
        var options = new RemoteOptions { ProbeResolver = "fixed:127.0.0.1", ProbeTimeout = TimeSpan.FromSeconds(20), ProbePorts = { [443] = _door.Port } };
        change?.Invoke(options);
        var bound = Options.Create(options);
        var prober = new NameProber(bound, new PublicDnsResolver(bound), _certificates, new ProbeNonces(), TimeProvider.System);
        return prober.ProbeAsync(new ProbeTarget(Name, kind, 443, 0), CancellationToken.None);
    }
}
