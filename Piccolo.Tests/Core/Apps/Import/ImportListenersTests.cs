using Piccolo.Core.Apps.Import;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>Which ports become listeners.</summary>
internal sealed class ImportListenersTests
{
    [TestCase("['8080']", "web:8080:websocket")]
    [TestCase("[8080]", "web:8080:websocket")]
    [TestCase("['80:8080']", "web:8080:websocket")]
    [TestCase("['127.0.0.1:80:8080/tcp']", "web:8080:websocket")]
    [TestCase("['[::1]:80:8080']", "web:8080:websocket")]
    [TestCase("['127.0.0.1::8080']", "web:8080:websocket")]
    [TestCase("['${P:-80}:${P:-80}']", "web:80:websocket")]
    [TestCase("[{target: 8080, published: '80', protocol: tcp, host_ip: 127.0.0.1, mode: host}]", "web:8080:websocket")]
    [TestCase("['3000-3001:3000-3001']", "web:3000:websocket web-3001:3001:websocket")]
    [TestCase("['443:443', '80:80']", "web:80:websocket")]
    [TestCase("['8443:8443']", "web:8443:tls")]
    [TestCase("['22:22', '3000:3000']", "web:3000:websocket web-22:22:raw")]
    [TestCase("['25565:25565']", "web:25565:raw")]
    [TestCase("['8080:8080', '8080:8080/tcp']", "web:8080:websocket")]
    [TestCase("['127.0.0.1:9000:9000', '80:80']", "web:80:websocket")]
    [TestCase("['9000:9000', '80:80']", "web:80:websocket web-9000:9000:websocket")]
    [TestCase("['7359:7359/udp', '8096:8096']", "web:8096:websocket")]
    public void Ports_AnySpelling_BecomeListeners(string ports, string expected)
    {
        var result = Composed.Import($"services: {{web: {{image: a, ports: {ports}}}}}");
        var listeners = result.Manifest()["listeners"]!.AsArray()
            .Select(l => $"{l!["name"]}:{l["guest_port"]}:{((string?)l["flow"] == "tls" ? "tls" : l["protocol"])}");

        Assert.That(string.Join(' ', listeners), Is.EqualTo(expected));
        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Plain));
    }

    [TestCase("['1-9999:1-9999']")]
    [TestCase("['a:b']")]
    [TestCase("['80:99999']")]
    [TestCase("['']")]
    [TestCase("[[80]]")]
    [TestCase("[{published: 80}]")]
    public void Ports_ThatAreNone_AreDropped(string ports) =>
        Assert.That(Composed.Import($"services: {{web: {{image: a, ports: {ports}}}}}").Line("services.web.ports[0]").Verdict,
            Is.EqualTo(ImportVerdict.Dropped));

    [Test]
    public void Ports_OfADatabase_StayInside()
    {
        var result = Composed.Import("services: {db: {image: 'postgres:17', ports: ['5432:5432']}, web: {image: a, ports: [80]}}");

        Assert.That(result.Manifest()["listeners"]!.AsArray(), Has.Count.EqualTo(1));
        Assert.That(result.Line("services.db.ports[0]").Verdict, Is.EqualTo(ImportVerdict.Dropped));
    }

    [TestCase("labels: ['traefik.http.services.w.loadbalancer.server.port=3000']", 3000)]
    [TestCase("labels: {caddy: example.com, caddy.reverse_proxy: '{{upstreams 8000}}'}", 8000)]
    [TestCase("x-runtipi: {is_main: true, internal_port: 4000}", 4000)]
    [TestCase("expose: [5000]", 5000)]
    [TestCase("healthcheck: {test: curl -f http://localhost:6000/ || exit 1}", 6000)]
    public void Ports_None_TheFrontIsTakenFromElsewhere(string field, int port)
    {
        var result = Composed.Import($"services: {{db: {{image: redis}}, web: {{image: a, {field}}}}}");

        Assert.That((int)result.Manifest()["listeners"]![0]!["guest_port"]!, Is.EqualTo(port));
        Assert.That((string?)result.Manifest()["listeners"]![0]!["service"], Is.EqualTo("web"));
    }

    [Test]
    public void Ports_NoneAndNoHint_AreAskedFor()
    {
        var result = Composed.Import("services: {web: {image: a}}");

        Assert.That((int)result.Manifest()["listeners"]![0]!["guest_port"]!, Is.EqualTo(80));
        Assert.That(result.Line("services.web").Verdict, Is.EqualTo(ImportVerdict.Asked));
    }

    [Test]
    public void Stores_FrontOfCasaOs_IsTheMainListener()
    {
        var result = Composed.Import("services: {web: {image: a, ports: ['531:53', '3001:3000']}}\nx-casaos: {main: web, port_map: '3001', title: {en_us: x}}");

        Assert.That((int)result.Manifest()["listeners"]![0]!["guest_port"]!, Is.EqualTo(3000));
        Assert.That(result.Line("x-casaos").Verdict, Is.EqualTo(ImportVerdict.Translated));
    }

    [Test]
    public void Stores_ProxyOfUmbrel_IsTheMainListenerAndItsNamesStay()
    {
        var result = Composed.Import("""
            services:
              app_proxy: {environment: {APP_HOST: notes_web_1, APP_PORT: 8101}}
              web: {image: a, environment: {DB: "notes_db_1:5432"}}
              db: {image: "postgres:17"}
            """);

        Assert.That((int)result.Manifest()["listeners"]![0]!["guest_port"]!, Is.EqualTo(8101));
        Assert.That(result.Service("db")!["aliases"]!.ToJsonString(), Is.EqualTo("""["notes_db_1"]"""));
    }

    [Test]
    public void Udp_BesideHttp_IsDroppedPlainly()
    {
        var line = Composed.Import("services: {web: {image: a, ports: ['80:80', '7359:7359/udp']}}").Line("services.web.ports[1]");

        Assert.That((line.Verdict, line.Sentence), Is.EqualTo((ImportVerdict.Dropped,
            "This release has no listeners for UDP: what 'web' offers there is not reached from outside the app.")));
    }
}
