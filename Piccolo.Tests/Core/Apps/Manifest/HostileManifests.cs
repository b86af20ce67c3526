using System.Globalization;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>Manifests of somebody who wants more than an app may have, or who wants the parser to work for long.</summary>
internal static class HostileManifests
{
    private const string Short = "name: a\nimage: b:1\nlisteners: [{ name: c, guest_port: 1 }]\n";
    private const string Disk = Short + "storage: { persistent: { data: {} } }\n";

    public static IEnumerable<(string Name, string Text)> All =>
    [
        .. Depths(), .. Sizes(), .. Paths(), .. Names(), .. Numbers(), .. Circles(), .. Values(), .. Controls(), .. Privileges(), .. Yaml(),
    ];

    private static IEnumerable<(string, string)> Depths()
    {
        foreach (var depth in (int[])[17, 100, 1_000, 50_000])
        {
            yield return ($"lists {depth}", Short + "command: " + new string('[', depth) + new string(']', depth));
            yield return ($"mappings {depth}", Short + "environment: " + string.Concat(Enumerable.Repeat("{a: ", depth)) + "b" + new string('}', depth));
            yield return ($"dashes {depth}", Short + "aliases:\n" + string.Concat(Enumerable.Repeat("- ", depth)) + "a\n");
            yield return ($"keys {depth}", Short + "mounts: " + string.Concat(Enumerable.Repeat("? ", depth)));
        }
    }

    private static IEnumerable<(string, string)> Sizes()
    {
        yield return ("33 services", Services(33, _ => "image: i"));
        yield return ("4000 services", Services(2_000, _ => ""));
        yield return ("257 variables", Short + "environment: {" + Entries(257, i => $"V{i}: x") + "}");
        yield return ("one long variable", Short + $"environment: {{ A: {new string('x', 4097)} }}");
        yield return ("one long name of a variable", Short + $"environment: {{ {new string('A', 256)}: x }}");
        yield return ("33 mounts", Disk + "mounts: {" + Entries(33, i => $"/m{i}: data") + "}");
        yield return ("17 aliases", Short + "aliases: [" + Entries(17, i => $"a{i}") + "]");
        yield return ("129 words", Short + "command: [" + Entries(129, i => $"w{i}") + "]");
        yield return ("129 words in one text", Short + "command: " + string.Join(' ', Enumerable.Range(0, 129)));
        yield return ("one long word", Short + $"command: [{new string('x', 4097)}]");
        yield return ("100000 words", Short + "command: " + string.Join(' ', Enumerable.Repeat("x", 100_000)));
        yield return ("100000 quotation marks", Short + "command: |\n  " + new string('\'', 99_999));
        yield return ("100000 backslashes", Short + "command: |\n  x" + new string('\\', 99_999));
        yield return ("33 volumes", Short + "storage: { persistent: {" + Entries(33, i => $"v{i}: {{}}") + "} }");
        yield return ("33 secrets", Short + "secrets: {" + Entries(33, i => $"s{i}: {{ generate: hex }}") + "}");
        yield return ("33 listeners", "name: a\nimage: b\nlisteners: [" + Entries(33, i => $"{{ name: l{i}, guest_port: {i + 1} }}") + "]");
        yield return ("33 capabilities", Short + "permissions: { capabilities: [" + Entries(33, _ => "NET_RAW") + "] }");
        yield return ("one long capability", Short + $"permissions: {{ capabilities: [{new string('N', 100_000)}] }}");
        yield return ("33 kernel settings", Short + "permissions: { sysctls: {" + Entries(33, i => $"net.s{i}: 1") + "} }");
        yield return ("one long kernel setting", Short + $"permissions: {{ sysctls: {{ net.{new string('a', 100_000)}: 1 }} }}");
        yield return ("one long value of a kernel setting", Short + $"permissions: {{ sysctls: {{ net.a: {new string('1', 100_000)} }} }}");
        yield return ("17 folders in memory", Short + "resources: { tmpfs: {" + Entries(17, i => $"/t{i}: 1MB") + "} }");
        yield return ("4000 unknown keys", Short + string.Concat(Enumerable.Range(0, 1_900).Select(i => $"imagee{i}: x\n")));
        yield return ("4000 unknown keys of a service", Services(1, _ => "image: i, " + Entries(1_900, i => $"imag{i}: x")));
        yield return ("a text of references", Short + "environment: { " + Entries(200, i => $"A{i}: \"{Repeat("${secret.x}", 370)}\"") + " }");
        yield return ("a text of half references",
            Short + "environment: { B: \"${secret.x}\", " + Entries(60, i => $"A{i}: \"{Repeat("${secret.", 450)}\"") + " }");
    }

    private static IEnumerable<(string, string)> Paths()
    {
        string[] paths =
        [
            "/", "//", "/.", "/..", "/../etc", "/data/../../etc", "/data/..", "data", "../data", "./data", "~/data", "", "/proc", "/proc/1/root", "/sys",
            "/sys/fs", "/dev", "/dev/mem", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "//proc", "/proc/", "/a:b", "/a:/etc:rw", "/a,b", "C:\\\\data",
            "/a\\\\b",
            "/a\\u0000b", "/a\\nb", "/a\\u202eb", "/a\\u00a0b", "/" + new string('a', 255), "file:///etc",
        ];
        foreach (var path in paths)
        {
            yield return ($"mount at {path}", Disk + $"mounts: {{ \"{path}\": data }}");
            yield return ($"container {path}", Short + $"storage: {{ persistent: {{ data: {{ container: \"{path}\" }} }} }}");
        }
        foreach (var sub in (string[])["..", "../x", "a/../../b", "/etc", "a//b", "a/", ".", "", "a:b", "a\\u0000"])
            yield return ($"sub {sub}", Disk + $"mounts: {{ /a: {{ volume: data, sub: \"{sub}\" }} }}");
        foreach (var volume in (string[])["/etc", "../data", "data/../../etc", ".", "", "DATA", "data:/etc"])
            yield return ($"volume {volume}", Disk + $"mounts: {{ /a: \"{volume}\" }}");
    }

    private static IEnumerable<(string, string)> Names()
    {
        string[] names =
        [
            "localhost", "LOCALHOST", "x.localhost", "host.docker.internal", "host.containers.internal", "127.0.0.1", "10", "0x7f000001", "a.b", "a_b", "-a",
            "a-", "A", "é", "xn--ü", "a b", "a/b", "..", ".", "", "a\\u0000b", "a\\nb", "*", "a;reboot", "$(id)", "::1", new string('a', 64),
            new string('a', 5_000),
        ];
        foreach (var name in names)
            yield return ($"service {Cut(name)}", $"name: a\nservices: {{ \"{name}\": {{ image: i }} }}\nlisteners: [{{ name: c, guest_port: 1 }}]");
        foreach (var name in (string[])[new string('a', 51), "a/b", "../a", "api", "schema", "A", "a.b", "1a", "a-", "a\\u0000"])
            yield return ($"app {Cut(name)}", $"name: \"{name}\"\nimage: b\nlisteners: [{{ name: c, guest_port: 1 }}]");
        foreach (var name in (string[])[new string('v', 64), "../v", "V", "v.v", "a/b"])
        {
            yield return ($"volume named {Cut(name)}", Short + $"storage: {{ persistent: {{ \"{name}\": {{}} }} }}");
            yield return ($"secret named {Cut(name)}", Short + $"secrets: {{ \"{name}\": {{ generate: hex }} }}");
        }
    }

    private static IEnumerable<(string, string)> Numbers()
    {
        foreach (var number in (string[])["-1", "0", "65536", "99999999999999999999", "1e9", "0x50", "1.5", "NaN", ".inf", "\"80\""])
            yield return ($"port {number}", $"name: a\nimage: b\nlisteners: [{{ name: c, guest_port: {number} }}]");
        foreach (var size in (string[])["-1MB", "0MB", "999999999999999TB", "1e9GB", "NaN", "9223372036854775808B", "1 PB", "lots"])
        {
            yield return ($"memory {size}", Short + $"resources: {{ limits: {{ memory: {size} }} }}");
            yield return ($"volume of {size}", Short + $"storage: {{ persistent: {{ d: {{ size_limit: {size} }} }} }}");
        }
        foreach (var time in (string[])["-1s", "99999999999999s", "1d", "1.5h", "s", "1h1h", "99h", "PT5M"])
            yield return ($"grace {time}", Short + $"stop: {{ grace: {time} }}");
    }

    private static IEnumerable<(string, string)> Circles()
    {
        yield return ("ring of 32", Services(32, i => $"image: i, depends_on: {{ s{(i + 1) % 32}: started }}"));
        yield return ("each on all 32", Services(32, i => $"image: i, depends_on: {{ {Entries(32, j => $"s{j}: started", except: i)} }}"));
        yield return ("each on itself", Services(32, i => $"image: i, depends_on: {{ s{i}: started }}"));
        yield return ("each on nobody", Services(32, i => $"image: i, depends_on: {{ n{i}: started }}"));
        yield return ("two rings", Services(4, i => $"image: i, depends_on: {{ s{i ^ 1}: started }}"));
    }

    private static IEnumerable<(string, string)> Values()
    {
        foreach (var value in (string[])
            ["${secret.db}", "${secret.other.db}", "${secret.../x}", "${secret.}", "${secret..}", "${listener.other.url}", "${listener.c.password}",
             "${app.token}", "${device.key}", "${device.lan_address}", "${answer.x}", "${network.gateway}", "${listener.c.lan_port}", "${secret.a.private}"])
            yield return ($"value {value}", Short + $"environment: {{ A: \"{value}\" }}");
        yield return ("value in the entry point", Short + "secrets: { s: { generate: hex } }\nentrypoint: [\"${secret.s}\"]");
        yield return ("value in an image", "name: a\nimage: \"${secret.s}\"\nlisteners: [{ name: c, guest_port: 1 }]\nsecrets: { s: { generate: hex } }");
        yield return ("value in a path", Disk + "mounts: { \"/a\": \"${app.name}\" }");
        yield return ("value in a name", "name: \"${app.name}\"\nimage: a\nlisteners: [{ name: c, guest_port: 1 }]");
    }

    private static IEnumerable<(string, string)> Controls()
    {
        foreach (var c in (int[])[0, 1, 7, 8, 0x1b, 0x7f, 0x85, 0x9f])
        {
            var escape = string.Create(CultureInfo.InvariantCulture, $"\\x{c:x2}");
            yield return ($"variable with {escape}", Short + $"environment: {{ A: \"a{escape}b\" }}");
            yield return ($"word with {escape}", Short + $"command: [\"a{escape}b\"]");
            yield return ($"user with {escape}", Short + $"user: \"a{escape}b\"");
            yield return ($"raw {escape}", Short + $"hostname: a{(char)c}b");
        }
    }

    private static IEnumerable<(string, string)> Privileges()
    {
        string[] fields =
        [
            "privileged: true", "network_mode: host", "pid: host", "ipc: host", "volumes: [/:/host]", "devices: [/dev/kvm]", "cap_add: [SYS_ADMIN]",
            "security_opt: [seccomp=unconfined]", "userns_mode: host", "cgroup_parent: /", "env_file: /etc/shadow", "extra_hosts: [a:1.2.3.4]",
            "ports: [80:80]",
            "permissions: { capabilities: [SYS_ADMIN] }", "permissions: { privileged: true }", "permissions: { new_privileges: yes }",
            "permissions: { network: { internet: host } }", "permissions: { network: host }", "permissions: { filesystem: { host_paths: [/etc] } }",
            "permissions: { capabilities: [ALL] }", "permissions: { capabilities: [CAP_SYS_MODULE] }", "permissions: { capabilities: [sys_rawio] }",
            "permissions: { capabilities: [\"NET_RAW,SYS_ADMIN\"] }", "permissions: { capabilities: [\"NET_RAW\\0\"] }",
            "permissions: { capabilities: [BPF] }", "permissions: { network: { local_network: join } }",
            "permissions: { sysctls: { net.ipv4.ip_forward: \"1\\0\" } }", "permissions: { sysctls: { net..kernel.core_pattern: x } }",
            "permissions: { sysctls: { \"net.ipv4/../../kernel/core_pattern\": x } }", "permissions: { sysctls: { fs.suid_dumpable: 2 } }",
            "permissions: { sysctls: { kernel.core_pattern: x } }", "network_of: host", "files: { /etc/passwd: { content: x } }", "build: .",
            "storage: { bind: { a: /etc } }", "storage: { persistent: { a: { host: /etc } } }", "storage: { folders: [media] }", "run: { every: \"03:00\" }",
            "x-piccolo: { privileged: true }", "backup: { mode: hot }", "update: { order: start-first }", "user: 4294967295", "user: \"0:0:0\"",
        ];
        foreach (var field in fields) yield return (field, Short + field);
    }

    private static IEnumerable<(string, string)> Yaml()
    {
        yield return ("alias", "a: &a x\nname: *a");
        yield return ("alias bomb", "a0: &a0 [x,x]\n" + string.Concat(Enumerable.Range(1, 24).Select(i => $"a{i}: &a{i} [*a{i - 1},*a{i - 1}]\n")));
        yield return ("merge", Short + "<<: { user: root }");
        yield return ("tag", Short + "user: !!python/object:os.system x");
        yield return ("two documents", Short + "---\n" + Short);
        yield return ("same key", Short + "image: c");
        yield return ("same service", "name: a\nservices: { w: { image: a }, w: { image: b } }\nlisteners: [{ name: c, guest_port: 1 }]");
        yield return ("list as a key", Short + "? [a]\n: b");
        yield return ("half a text", Short[..^5]);
        yield return ("lone surrogate", Short + "user: \"\ud800\"");
    }

    private static string Services(int count, Func<int, string> fields) =>
        $"name: a\nservices: {{ {Entries(count, i => $"s{i}: {{ {fields(i)} }}")} }}\nlisteners: [{{ name: c, guest_port: 1, service: s0 }}]\n";

    private static string Entries(int count, Func<int, string> entry, int except = -1) =>
        string.Join(", ", Enumerable.Range(0, count).Where(i => i != except).Select(entry));

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static string Cut(string name) => name.Length > 30 ? $"{name[..3]}… of {name.Length}" : name;
}
