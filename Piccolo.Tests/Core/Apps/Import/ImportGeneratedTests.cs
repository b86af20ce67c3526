using CsCheck;
using Piccolo.Core.Apps.Import;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>Whatever the file: each of its keys has one line, the manifest is valid, and the same file becomes the same.</summary>
internal sealed class ImportGeneratedTests
{
    private static readonly string[] Fields =
    [
        "image: a/b:1", "image: postgres:17", "image: '${T}'", "build: .", "command: run 'x y'", "command: [a, '${DB_PASSWORD}']", "entrypoint: ''",
        "user: '${U:-1}'",
        "restart: 'no'", "environment: {DB_PASSWORD: example, BASE_URL: 'http://localhost', N: 1, Z: }", "environment: ['A=${A:?x}', B, 'C=$$D']",
        "env_file: [x.env, .env]", "ports: ['80:80', '53:53/udp', '1-3:1-3']", "ports: [{target: 8080, published: 80}]",
        "volumes: ['a:/a', './b:/b:ro', '/etc/localtime:/l']",
        "volumes: [{type: bind, source: '${X}/y', target: /y}]", "volumes: ['/var/run/docker.sock:/s']", "depends_on: [s0, s1]",
        "depends_on: {s1: {condition: service_healthy}, s2: {condition: service_completed_successfully}}",
        "healthcheck: {test: 'x -p example', interval: 1s, x: y}",
        "deploy: {resources: {limits: {memory: 1g, x: 1}, reservations: {devices: [a]}}, replicas: 1}",
        "networks: {n: {aliases: [q], ipv4_address: 1.2.3.4}}", "network_mode: host",
        "cap_add: [NET_ADMIN, NET_RAW]", "privileged: true", "labels: {a: b}", "x-own: {a: [1, {b: c}]}", "unknown: [1, 2]", "profiles: [p]", "extends: s2",
        "secrets: [k]", "tmpfs: /t", "read_only: yes", "sysctls: {net.a: 1}", "<<: *base", "devices: [/dev/dri]", "security_opt: ['seccomp:unconfined']",
    ];

    private static readonly string[] Tops =
    [
        "version: '3'", "name: '${N:-app}'", "volumes: {a: , b: {external: true}}", "networks: {n: {internal: true}, m: }", "secrets: {k: {file: x}}",
        "x-casaos: {main: s0, port_map: 80}",
        "include: [i.yml]", "configs: {}", "what: {is: this}",
    ];

    private static readonly Gen<string> Service = OneOf(Fields).Array[0, 9].Select(Block);

    private static readonly Gen<string> Document = Gen.Select(Service.Array[0, 4], OneOf(Tops).Array[0, 4], (services, tops) =>
        $"x-base: &base\n  image: base\n  environment: {{X: y}}\n{string.Concat(tops.DistinctBy(KeyOf).Select(t => t + "\n"))}services:\n"
        + string.Concat(services.Select((s, i) => $"  s{i}: {{{s}}}\n")) + (services.Length == 0 ? "  s: {image: a}\n" : ""));

    private static readonly Gen<string> Environment = OneOf(["T=x:1", "DB_PASSWORD=changeme", "A=b", "COMPOSE_PROFILES=p", "X=/srv", "bad line",
        "Q=\"a\nb\""]).Array[0, 4]
        .Select(lines => string.Join('\n', lines));

    [Test]
    public void Import_AnyFile_ReportsEachKeyOnceAndGivesAValidManifest() => Gen.Select(Document, Environment).Seeded().Sample((text, environment) =>
    {
        var result = Composed.Import(text, environment);

        if (result.Report is [{ Path: "compose" }]) return;
        var root = ComposeYaml.Read(text);
        var lines = result.Report.ToDictionary(l => l.Path, StringComparer.Ordinal);
        foreach (var key in Field.Of(root, "")) AssertCovered(key, lines);
        Assert.That(ComposeImporter.Import(new ImportSource(text) { Environment = environment }).Report, Is.EqualTo(result.Report));
    });

    [Test]
    public void Import_AnyText_NeverFails() => Gen.Select(Document, Gen.Int[0, 400], Gen.Char, Gen.Int[0, 3]).Seeded().Sample((text, at, c, kind) =>
    {
        var i = at % text.Length;
        Composed.Import(kind switch
        {
            0 => text[..i],
            1 => text.Insert(i, c.ToString()),
            2 => text.Remove(i, 1),
            _ => text[i..],
        });
    });

    /// <summary>A key has a line; or one above it has, and nothing beside it has one of its own.</summary>
    private static void AssertCovered(Field key, Dictionary<string, ImportLine> lines)
    {
        Assert.That(lines, Does.ContainKey(key.Path));
        Assert.That(lines[key.Path].Line, Is.EqualTo(key.Line), key.Path);
        var children = key.Children().ToList();
        if (children.Exists(c => lines.ContainsKey(c.Path)))
            foreach (var child in children) AssertCovered(child, lines);
    }

    private static Gen<string> OneOf(string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static string Block(string[] fields) => string.Join(", ", fields.DistinctBy(KeyOf));

    private static string KeyOf(string field) => field.Split(':')[0];
}
