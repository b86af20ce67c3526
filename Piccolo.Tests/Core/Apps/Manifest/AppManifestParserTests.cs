using System.Collections.Immutable;
using System.Text;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Manifest.Reading;
using Piccolo.Core.Listeners;

namespace Piccolo.Tests.Core.Apps.Manifest;

internal sealed class AppManifestParserTests
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "TestData", "manifests");

    private static IEnumerable<string> Invalid =>
        Directory.EnumerateFiles(Path.Combine(Folder, "invalid"), "*.yaml").Select(f => Path.GetFileNameWithoutExtension(f)!).Order();

    [TestCaseSource(nameof(Invalid))]
    public void Parse_InvalidFile_ReportsEveryErrorWithPathAndLine(string name)
    {
        var expected = File.ReadAllLines(Path.Combine(Folder, "invalid", name + ".expected")).Select(l => l.Split(' ', 3)).ToList();

        var result = AppManifestParser.Parse(File.ReadAllBytes(Path.Combine(Folder, "invalid", name + ".yaml")));

        Assert.That(result.IsValid, Is.False);
        Assert.That(result.Errors.Select(e => $"{e.Path} {e.Line}"), Is.EquivalentTo(expected.Select(e => $"{e[0]} {e[1]}")), string.Join('\n', result.Errors));
        foreach (var line in expected)
            Assert.That(result.Errors.Where(e => e.Path == line[0]).Select(e => e.Message), Has.Some.Contains(line[2]));
    }

    /// <summary>Every way in which Compose, Kubernetes and the original's manifests name a path of the host, and nothing else wrong.</summary>
    [TestCase("volumes: [\"/etc:/data\"]", "volumes")]
    [TestCase("volumes: [{ type: bind, source: /etc, target: /data }]", "volumes")]
    [TestCase("mounts: [{ host: /etc, container: /data }]", "mounts")]
    [TestCase("devices: [/dev/sda]", "devices")]
    [TestCase("env_file: /etc/shadow", "env_file")]
    [TestCase("storage: { persistent: { data: { host: /etc, container: /data } } }", "storage")]
    [TestCase("storage: { bind: { data: { host: /etc, container: /data } } }", "storage")]
    [TestCase("filesystem: { host_paths: [/etc] }", "filesystem")]
    [TestCase("permissions: { filesystem: { host_paths: [/etc] } }", "permissions.filesystem")]
    public void Parse_PathOfTheHost_IsRefused(string lines, string path)
    {
        var result = AppManifestParser.Parse($"name: web\nimage: localhost/a:1\nlisteners:\n  - {{ name: web, guest_port: 80, protocol: http }}\n{lines}\n");

        Assert.That(result.IsValid, Is.False);
        Assert.That(result.Errors.Select(e => e.Path), Has.All.StartsWith(path).And.Not.Empty, string.Join('\n', result.Errors));
    }

    [Test]
    public void Parse_ByteOrderMarkAtTheBeginning_IsNoPartOfTheText()
    {
        const string text = "name: web\nimage: localhost/a:1\nlisteners:\n  - { name: web, guest_port: 80, protocol: http }\n";

        Assert.That(AppManifestParser.Parse([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)]).Errors, Is.Empty);
        Assert.That(AppManifestParser.Parse("\uFEFF" + text.Replace("\n", "\r\n", StringComparison.Ordinal)).Errors, Is.Empty);
        Assert.That(AppManifestParser.Parse("\uFEFF\uFEFF" + text).Errors.First(e => e.Path != "name").Message, Does.Contain("byte-order mark (U+FEFF)"),
            "a second one is in the way, and is named");
    }

    [TestCase("null")]
    [TestCase("Null")]
    [TestCase("NULL")]
    [TestCase("~")]
    [TestCase("")]
    public void Parse_EveryFormOfNull_IsTheSame(string written)
    {
        var result = AppManifestParser.Parse($"name: web\nimage: localhost/a:1\ntype: {written}\nlisteners:\n  - {{ name: web, guest_port: 80, "
            + $"protocol: http }}\nenvironment:\n  A: {written}\n");

        Assert.That(result.Errors.Select(e => e.ToString()),
            Is.EqualTo(new[] { "environment.A (line 7): A single value is expected; an empty one is written \"\"." }));
        var quoted = $"name: web\nimage: localhost/a:1\nlisteners: [{{ name: web, guest_port: 80 }}]\nenvironment: {{ A: \"{written}\" }}";
        Assert.That(AppManifestParser.Parse(quoted).Manifest!.Main.Environment["A"], Is.EqualTo(written));
    }

    [TestCase("name: web\nimage: localhost/a:1\nlisteners:\n\t- name: web\n\t  guest_port: 80\n", 4, "indented with a tab")]
    [TestCase("name: web\nimage: localhost/a:1\nlisteners:\n  - name: web\n\tguest_port: 80\n", 5, "indented with a tab")]
    [TestCase("name: web\nimage: localhost/a:1\nlisteners:\n  - name: web\n\u00a0\u00a0\u00a0\u00a0guest_port: 80\n", 5, "no-break space (U+00A0)")]
    [TestCase("name: web\nimage: localhost/a:1\nlisteners:\n  - name:\u00a0web\n    guest_port: 80\n", 4, "no-break space (U+00A0)")]
    [TestCase("name: web\nimage: localhost/a:1\nlisteners:\n  - name:\u00a0web\n", 4, "no-break space (U+00A0)")]
    [TestCase("name:\u3000web", 1, "U+3000")]
    [TestCase("name: web\nimage: localhost/a:1\n\u200btype: user\nlisteners: [{ name: web, guest_port: 80 }]\n", 3, "U+200B")]
    public void Parse_CharacterThatNobodySees_IsNamedWithItsLine(string text, int line, string words)
    {
        var errors = AppManifestParser.Parse(text).Errors;

        Assert.That(errors.Where(e => e.Line == line).Select(e => e.Message), Has.Some.Contains(words), string.Join('\n', errors));
    }

    [Test]
    public void Parse_Minimal_TakesTheDefaults()
    {
        var manifest = ParseValid("minimal");

        Assert.That(manifest.Type, Is.EqualTo(AppType.User));
        Assert.That(manifest.Listeners.Single(), Is.EqualTo(
            new ListenerDefinition("web", 8080, ListenerFlow.Tcp, ListenerProtocol.Raw, ListenerDefinition.DefaultRemotePorts)));
        Assert.That((manifest.Main.MemoryBytes, manifest.Main.NanoCpus), Is.EqualTo(((long?)null, (long?)null)));
    }

    [TestCase("protocol: raw", "proxy_protocol: v2", null)]
    [TestCase("flow: tls, protocol: http", "proxy_protocol: v2", null)]
    [TestCase("protocol: http", "hsts_max_age: 31536000, health_path: /healthz?deep=1", null)]
    [TestCase("protocol: http", "something_of_tomorrow: 1", "listeners[0].x-piccolo.something_of_tomorrow")]
    [TestCase("protocol: http", "proxy_protocol: v2", "listeners[0].x-piccolo.proxy_protocol")]
    [TestCase("protocol: raw", "proxy_protocol: v1", "listeners[0].x-piccolo.proxy_protocol")]
    [TestCase("protocol: raw", "hsts_max_age: 60", "listeners[0].x-piccolo.hsts_max_age")]
    [TestCase("protocol: http", "hsts_max_age: 99999999", "listeners[0].x-piccolo.hsts_max_age")]
    [TestCase("protocol: http", "hsts_max_age: soon", "listeners[0].x-piccolo.hsts_max_age")]
    [TestCase("protocol: http", "health_path: healthz", "listeners[0].x-piccolo.health_path")]
    [TestCase("protocol: http", "health_path: \"/a\\r\\nX: y\"", "listeners[0].x-piccolo.health_path")]
    [TestCase("protocol: grpc", "health_path: /", "listeners[0].x-piccolo.health_path")]
    [TestCase("flow: tls, protocol: http", "health_path: /", "listeners[0].x-piccolo.health_path")]
    public void Parse_OurOwnKeysOfAListener_AreTakenOrRefused(string kind, string keys, string? error)
    {
        var result = AppManifestParser.Parse(
            $"name: web\nimage: localhost/a:1\nlisteners:\n  - {{ name: web, guest_port: 80, {kind}, x-piccolo: {{ {keys} }} }}\n");

        Assert.That(result.Errors.Select(e => e.Path), error is null ? Is.Empty : Is.EqualTo(new[] { error }), string.Join('\n', result.Errors));
        if (error is not null) return;
        var definition = result.Manifest!.Listeners.Single();
        Assert.That(
            (definition.ClientHeader, definition.HstsMaxAge, definition.HealthPath),
            Is.EqualTo(keys.StartsWith("proxy", StringComparison.Ordinal) ? (ClientHeader.ProxyV2, null, null)
                : (ClientHeader.None, (int?)31536000, "/healthz?deep=1")));
    }

    [Test]
    public void Parse_Full_TakesEveryField()
    {
        var manifest = ParseValid("full");

        Assert.That(manifest.Main.Image, Does.StartWith("Registry.example.org:5000/team/notes:V1.2-RC@sha256:"));
        Assert.That(manifest.Listeners.Select(l => (l.Name, l.GuestPort, l.Flow, l.Protocol)), Is.EqualTo(new[]
        {
            ("notes", 80, ListenerFlow.Tcp, ListenerProtocol.Http),
            ("notes-raw", 8443, ListenerFlow.Tls, ListenerProtocol.Raw),
            ("notes-grpc", 9000, ListenerFlow.Tcp, ListenerProtocol.Grpc),
        }));
        Assert.That(manifest.Listeners[1].RemotePorts, Is.EqualTo(new[] { 443, 8443 }));
        Assert.That(manifest.Main.Environment, Is.EqualTo(new Dictionary<string, string>
        {
            ["EMPTY"] = "",
            ["FLAG"] = "true",
            ["MULTI"] = "two\nlines\n",
            ["NUMBER"] = "8080",
            ["PLAIN"] = "value",
        }));
        Assert.That(manifest.Main.MemoryBytes, Is.EqualTo(1536L << 20));
        Assert.That(manifest.Main.NanoCpus, Is.EqualTo(500_000_000));
    }

    [Test]
    public void Parse_FieldsInAnyCulture_ReadsTheSameNumbers() =>
        Assert.That(AppManifestParser.Parse(Valid + "resources: { limits: { memory: 1.5 GiB, cpu: 1.25 } }").Manifest, Is.Not.Null);

    [TestCase("5MB"), TestCase("5TB"), TestCase("-1MB"), TestCase("MB"), TestCase("1"), TestCase("1e3MB"), TestCase("999999999999999TB"), TestCase("1.5.5GB")]
    public void Parse_BadMemory_IsRefused(string memory) =>
        Assert.That(Paths(Valid + $"resources: {{ limits: {{ memory: {memory} }} }}"), Is.EqualTo(new[] { "resources.limits.memory" }));

    [TestCase("0"), TestCase("64.1"), TestCase("-1"), TestCase("NaN"), TestCase("1e1"), TestCase("'1,5'")]
    public void Parse_BadCpu_IsRefused(string cpu) =>
        Assert.That(Paths(Valid + $"resources: {{ limits: {{ cpu: {cpu} }} }}"), Is.EqualTo(new[] { "resources.limits.cpu" }));

    [Test]
    public void Parse_NeverQuotesTheEnvironment()
    {
        var result = AppManifestParser.Parse(Valid + "environment: { KEY: \"canary\\u0001\", 9: canary }");

        Assert.That(result.Errors, Has.Length.EqualTo(2));
        Assert.That(string.Join('\n', result.Errors), Does.Not.Contain("canary"));
    }

    [Test]
    public void Parse_BrokenYaml_NeverQuotesTheText() =>
        Assert.That(string.Join('\n', AppManifestParser.Parse("environment: { KEY: canary\n  canary: [").Errors),
            Does.Contain("valid YAML").And.Not.Contain("canary"));

    private static IEnumerable<TestCaseData> Hostile()
    {
        yield return new TestCaseData(new string('[', AppManifestParser.MaxBytes)).SetArgDisplayNames("brackets");
        yield return new TestCaseData(string.Concat(Enumerable.Repeat("{a: ", 60_000))).SetArgDisplayNames("braces");
        yield return new TestCaseData(string.Concat(Enumerable.Repeat("- ", 130_000))).SetArgDisplayNames("dashes");
        yield return new TestCaseData(string.Concat(Enumerable.Repeat("? ", 130_000))).SetArgDisplayNames("questions");
        yield return new TestCaseData("a: [" + string.Concat(Enumerable.Repeat("1,", 130_000)) + "]").SetArgDisplayNames("values");
        yield return new TestCaseData(string.Concat(Enumerable.Range(0, 20_000).Select(i => $"k{i}: v\n"))).SetArgDisplayNames("keys");
        yield return new TestCaseData("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n").SetArgDisplayNames("alias bomb");
        yield return new TestCaseData("a: &a [*a]").SetArgDisplayNames("alias to itself");
        yield return new TestCaseData(new string('a', AppManifestParser.MaxBytes)).SetArgDisplayNames("one word");
        yield return new TestCaseData("\"" + new string('\\', 100_000)).SetArgDisplayNames("backslashes");
        yield return new TestCaseData("name: \0").SetArgDisplayNames("nul");
        yield return new TestCaseData("%YAML 9.9\n---\nname: a").SetArgDisplayNames("directive");
        yield return new TestCaseData("<<: {name: web}\nimage: a").SetArgDisplayNames("merge key");
        yield return new TestCaseData(new string(' ', 1000) + "\t- x: \ud800").SetArgDisplayNames("lone surrogate");
    }

    [TestCaseSource(nameof(Hostile)), CancelAfter(20_000)]
    public async Task Parse_Hostile_AnswersWithBoundedErrors(string text, CancellationToken cancellationToken)
    {
        var result = await Task.Run(() => AppManifestParser.Parse(text), cancellationToken).WaitAsync(TimeSpan.FromSeconds(5), cancellationToken);

        Assert.That(result.Errors, Has.Length.InRange(1, ManifestErrorList.MaxErrors + 1));
        Assert.That(result.Errors.Max(e => e.ToString().Length), Is.LessThan(500));
    }

    [Test]
    public void Parse_TooLarge_IsRefusedUnread()
    {
        var text = Encoding.UTF8.GetBytes(Valid + "#" + new string('x', AppManifestParser.MaxBytes));

        Assert.That(AppManifestParser.Parse(text).Errors.Single().Message, Does.Contain("256 KiB"));
    }

    [Test]
    public void Parse_NotUtf8_IsRefused() =>
        Assert.That(AppManifestParser.Parse([0x6e, 0xff, 0xfe]).Errors.Single().Message, Does.Contain("UTF-8"));

    /// <summary>Every cut of a valid manifest, and every text one byte away from it, gives an answer, not an exception.</summary>
    [Test]
    public void Parse_CutOrChangedAnywhere_NeverThrows()
    {
        var text = File.ReadAllBytes(Path.Combine(Folder, "valid", "full.yaml"));
        var random = new Random(20261124);
        for (var i = 0; i < text.Length; i++)
        {
            Assert.That(() => AppManifestParser.Parse(text.AsSpan(0, i)), Throws.Nothing);
            var changed = (byte[])text.Clone();
            changed[i] = (byte)random.Next(256);
            Assert.That(() => AppManifestParser.Parse(changed), Throws.Nothing);
        }
    }

    private const string Valid = "name: web\nimage: web\nlisteners: [{ name: web, guest_port: 80 }]\n";

    private static ImmutableArray<string> Paths(string text) => [.. AppManifestParser.Parse(text).Errors.Select(e => e.Path)];

    private static AppManifest ParseValid(string name)
    {
        var result = AppManifestParser.Parse(File.ReadAllBytes(Path.Combine(Folder, "valid", name + ".yaml")));
        Assert.That(result.Errors, Is.Empty);
        return result.Manifest!;
    }
}
