using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Certificates;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Http;

/// <summary>
/// One owner's walk over the whole API: every route that is mapped is called once, in an order that makes sense, and answers as it should. What a route
/// means is tested beside its feature; here none is forgotten.
/// </summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class EveryRouteTests
{
    private const string Compose = "services:\n  web:\n    image: localhost/web:1\n    ports: [\"8080:8080\"]\n";
    private const string Manifest = "name: web\nimage: localhost/web:1\nlisteners:\n  - { name: web, guest_port: 8080, protocol: http }\n";
    private const string Password = TestAppliance.Password;
    private const string NewPassword = "harbour kettle violin mosaic";

    private static readonly object Settings = new { endpoint = "wss://relay.invalid", device_secret = "secret", tld = "home.test", portal_hostname = "portal" };

    private static readonly Call[] Calls =
    [
        new("GET /health/live", 200), new("GET /health/ready", 200), new("GET /version", 200), new("GET /metrics", 200),
        new("GET /swagger/{documentName}/swagger.json", 200), new("HEAD /swagger/{documentName}/swagger.json", 200), new("GET /api/v1/openapi.yaml", 200),
        new("GET /api/v1/health/live", 200), new("GET /api/v1/health/ready", 200), new("GET /api/v1/health/detail", 200),

        new("GET /api/v1/crypto/status", 200), new("POST /api/v1/crypto/setup", 409, new { password = Password }),
        new("POST /api/v1/auth/setup", 409, new { password = Password }),
        new("POST /api/v1/crypto/unlock", 200, new { password = Password }),
        new("POST /api/v1/auth/login", 200, new { username = "admin", password = Password }),
        new("GET /api/v1/auth/initialized", 200), new("GET /api/v1/auth/session", 200), new("GET /api/v1/auth/csrf", 400),
        new("GET /api/v1/auth/sessions", 200) { Keeps = ("sessions", a => a["sessions"]![0]!["id"]) },
        new("DELETE /api/v1/auth/sessions/{id}", 200), new("DELETE /api/v1/auth/sessions", 200),
        new("POST /api/v1/auth/tokens", 201, new { name = "second" }) { Keeps = ("tokens", a => a["id"]) },
        new("GET /api/v1/auth/tokens", 200), new("DELETE /api/v1/auth/tokens/{id}", 200),
        new("GET /api/v1/crypto/recovery-key", 200), new("POST /api/v1/crypto/recovery-key/generate", 200, new { password = Password }),
        new("POST /api/v1/crypto/reset-password", 401, new { recovery_key = "zoo", new_password = NewPassword }),
        new("POST /api/v1/auth/password", 200, new { old_password = Password, new_password = NewPassword }),
        new("POST /api/v1/auth/staleness/ack", 200, new { password = true }),

        new("POST /api/v1/apps/validate", 200, Manifest), new("GET /api/v1/apps/schema", 200),
        new("POST /api/v1/apps/import", 200, () => new MultipartFormDataContent { { new StringContent(Compose), "compose", "compose.yml" } }),
        new("POST /api/v1/apps", 201, Manifest),
        new("GET /api/v1/apps", 200),
        new("GET /api/v1/apps/{name}", 200), new("GET /api/v1/apps/{name}/logs", 200),
        new("GET /api/v1/apps/{name}/manifest", 200), new("GET /api/v1/apps/{name}/usage", 200),
        new("GET /api/v1/apps/{name}/volumes", 200), new("GET /api/v1/volumes", 200),
        new("GET /api/v1/apps/{name}/services", 200), new("GET /api/v1/services", 200), new("POST /api/v1/apps/{name}/stop", 200),
        new("POST /api/v1/apps/{name}/start", 200), new("POST /api/v1/apps/{name}/update", 200),

        new("POST /api/v1/remote/preflight", 409), new("POST /api/v1/remote/rotate", 409, new { device_secret = "next" }),
        new("POST /api/v1/remote/nexus-guide/verify", 400, new { }),
        new("GET /api/v1/remote/nexus-guide", 200), new("GET /api/v1/remote/dns/providers", 200),
        new("GET /api/v1/remote/issuance-lock", 200), new("POST /api/v1/remote/issuance-lock/check", 200),
        new("POST /api/v1/remote/configure", 200, Settings) { AndThen = UntilThePortalIsWanted },
        new("GET /api/v1/remote/status", 200), new("GET /api/v1/remote/events", 200),
        new("POST /api/v1/remote/aliases", 200, new { hostname = "www.elsewhere.test" }) { Keeps = ("aliases", a => a["id"]) },
        new("GET /api/v1/remote/aliases", 200), new("DELETE /api/v1/remote/aliases/{id}", 200),
        new("GET /api/v1/remote/certificates", 200) { Keeps = ("certificates", a => a["certificates"]![0]!["id"]) },
        new("POST /api/v1/remote/certificates/{id}/renew", 200), new("POST /api/v1/remote/certificates/{id}/rekey", 200),
        new("GET /api/v1/remote/certificates/{id}/story", 200),
        new("POST /api/v1/remote/disable", 200),

        new("POST /api/v1/exports/control", 202) { Keeps = ("jobs", a => a["id"]) },
        new("GET /api/v1/jobs/{id}/events", 200), new("GET /api/v1/jobs/{id}", 200), new("GET /api/v1/jobs", 200), new("DELETE /api/v1/jobs/{id}", 200),
        new("GET /api/v1/exports", 200) { Keeps = ("exports", a => a["exports"]![0]!["id"]) },
        new("GET /api/v1/exports/{id}/download", 200), new("DELETE /api/v1/exports/{id}", 200), new("POST /api/v1/exports/full", 202),
        new("POST /api/v1/exports/import", 409),

        new("GET /api/v1/cluster/leadership", 200), new("GET /api/v1/system/audit", 200), new("POST /api/v1/system/audit/verify", 200),
        new("POST /api/v1/system/faults/{code}/clear", 200)
        {
            First = a => a.Services.GetRequiredService<HealthTracker>().Latch(FaultCode.KeysetCorrupt, HealthComponents.Vault, "Latched by a test."),
        },
        new("DELETE /api/v1/apps/{name}", 200), new("POST /api/v1/auth/logout", 200), new("POST /api/v1/crypto/lock", 200),
    ];

    [Test]
    public async Task Routes_EachCalledOnce_AnswerAsTheyShould()
    {
        await using var appliance = await new TestAppliance(null,
            ("Piccolo:Acme:DirectoryUrl", "https://127.0.0.1:1/directory"), ("Piccolo:Remote:ProbeResolver", "fixed:127.0.0.1")).OwnedAsync();
        appliance.Engine.AddImage("localhost/web:1");
        var known = new Dictionary<string, string> { ["{name}"] = "web", ["{code}"] = "keyset_corrupt", ["{documentName}"] = "v1" };
        var answers = new List<string>();
        foreach (var call in Calls)
        {
            call.First?.Invoke(appliance);
            var (method, path) = call.MethodAndPath(known);
            using var response = await appliance.SendAsync(method, path, call.Content());
            var text = await response.Content.ReadAsStringAsync();
            if ((int)response.StatusCode != call.Status) answers.Add($"{call.Route} answered {(int)response.StatusCode}: {text}");
            else if (call.Keeps is { } keeps) known[$"{keeps.Of}/{{id}}"] = $"{keeps.Of}/{keeps.Id(JsonNode.Parse(text)!)}";
            if (call.AndThen is { } wait) await wait(appliance);
        }

        Assert.That(answers, Is.Empty);
        Assert.That(Calls.Select(c => c.Route), Is.EquivalentTo(ApiRoute.AllOf(appliance).Select(r => r.ToString())), "each route stands here once");
    }

    private static Task UntilThePortalIsWanted(TestAppliance appliance)
    {
        var certificates = appliance.Services.GetRequiredService<CertificateInventory>();
        return RemoteBox.UntilAsync(certificates.Changed, () => certificates.Find("portal") is not null, "the portal's certificate is wanted");
    }

    private sealed record Call(string Route, int Status, object? Body = null)
    {
        public Action<TestAppliance>? First { get; init; }

        public Func<TestAppliance, Task>? AndThen { get; init; }

        /// <summary>What later paths of this kind have in the place of their id.</summary>
        public (string Of, Func<JsonNode, JsonNode?> Id)? Keeps { get; init; }

        public (HttpMethod Method, string Path) MethodAndPath(IReadOnlyDictionary<string, string> known)
        {
            var path = known.Aggregate(Route.Split(' ')[1], (p, k) => p.Replace(k.Key, k.Value, StringComparison.Ordinal));
            Assert.That(path, Does.Not.Contain("{"), $"{Route} needs an id that no earlier answer gave");
            return (HttpMethod.Parse(Route.Split(' ')[0]), path);
        }

        public HttpContent? Content() => Body switch
        {
            null => null,
            Func<MultipartFormDataContent> form => form(),
            string yaml => new StringContent(yaml, Encoding.UTF8, "application/yaml"),
            _ => JsonContent.Create(Body),
        };
    }
}
