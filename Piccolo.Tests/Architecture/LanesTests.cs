using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Piccolo.Tests.Architecture;

/// <summary>Follows the calls of every test to what the fast lane must not touch, so that each such test says what it needs.</summary>
internal sealed class LanesTests
{
    private static readonly (string Sink, string Category)[] Sinks =
    [
        ("Piccolo.Rig.Podman.PodmanServer::StartAsync", "NeedsPodman"),
        ("Piccolo.Rig.Acme.PebbleServer::StartAsync", "NeedsPebble"),
        ("Piccolo.Rig.Acme.ChallengeTestServer::StartAsync", "NeedsPebble"),
        ("Piccolo.Tests.Fakes.Files.MountedFolder::Run", "NeedsRoot"),
        ("Piccolo.Tests.Core.Volumes.VolumeBox::StartAsync", "NeedsRoot"),
        ("\"ip\"", "NeedsRoot"),
        ("System.Diagnostics.Process::Start", "NeedsProcess"),
    ];

    // The tests, and the tools through which they start what needs a lane.
    private static readonly System.Reflection.Assembly[] Assemblies =
    [
        typeof(LanesTests).Assembly,
        typeof(Piccolo.Rig.ChildProcess).Assembly,
        typeof(Piccolo.Demo.DemoFlow).Assembly,
        typeof(Piccolo.Bench.BenchReport).Assembly,
    ];

    private static readonly Dictionary<string, HashSet<string>> Calls = ReadCalls();

    [Test]
    public void Tests_ThatNeedMore_SayWhat()
    {
        var silent = from type in typeof(LanesTests).Assembly.GetTypes()
                     where !type.IsAbstract
                     from test in type.GetMethods()
                     where test.GetCustomAttributes(inherit: true).Any(a => a is TestAttribute or TestCaseAttribute or TestCaseSourceAttribute)
                     let says = type.GetCustomAttributes(inherit: true).Concat(test.GetCustomAttributes(inherit: true)).OfType<CategoryAttribute>()
                         .Select(c => c.Name).ToHashSet()
                     let needs = NeedsOf(type, test.Name)
                     // Root, Podman and Pebble come with processes.
                     where needs.Any(need => need == "NeedsProcess" ? !says.Any(s => s.StartsWith("Needs", StringComparison.Ordinal)) : !says.Contains(need))
                     select $"{type.Name}.{test.Name} needs {string.Join(", ", needs)}";

        Assert.That(silent, Is.Empty);
    }

    [TestCase("Piccolo.Tests.Tools.Rig.PodmanServerTests", "NeedsPodman")]
    [TestCase("Piccolo.Tests.Scenarios.AliasTests", "NeedsPebble")]
    [TestCase("Piccolo.Tests.Core.ControlStore.StoreDiskTests", "NeedsRoot")]
    [TestCase("Piccolo.Tests.Scenarios.PowerCutTests", "NeedsProcess")]
    [TestCase("Piccolo.Tests.Interop.TestSslTests", "NeedsProcess")]
    public void Needs_OfAFixtureThatIsKnown_AreFound(string fixture, string need)
    {
        var type = typeof(LanesTests).Assembly.GetType(fixture, throwOnError: true)!;

        Assert.That(type.GetMethods().Where(m => m.DeclaringType == type).SelectMany(m => NeedsOf(type, m.Name)), Does.Contain(need));
    }

    /// <summary>Of the test itself and of what runs before it: constructors and set-ups, inherited ones too.</summary>
    private static string[] NeedsOf(Type type, string test)
    {
        var before = new List<string> { $"{type.FullName}::{test}" };
        for (var t = type; t is not null && t != typeof(object); t = t.BaseType)
        {
            before.Add($"{t.FullName}::.ctor");
            before.AddRange(t.GetMethods(Everything).Where(m => m.GetCustomAttributes(inherit: true).Any(a => a is SetUpAttribute or OneTimeSetUpAttribute))
                .Select(m => $"{t.FullName}::{m.Name}"));
        }
        var reached = new HashSet<string>(before);
        var queue = new Queue<string>(before);
        while (queue.TryDequeue(out var method))
        {
            foreach (var call in Calls.GetValueOrDefault(method, []).Where(reached.Add)) queue.Enqueue(call);
        }
        return [.. Sinks.Where(s => reached.Contains(s.Sink)).Select(s => s.Category).Distinct()];
    }

    private const System.Reflection.BindingFlags Everything =
        System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Public
        | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.DeclaredOnly;

    /// <summary>What each method of the tests and of their rig calls, by name; a method's state machine counts as the method.</summary>
    private static Dictionary<string, HashSet<string>> ReadCalls()
    {
        var calls = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (var assembly in Assemblies)
        {
            using var module = ModuleDefinition.ReadModule(assembly.Location);
            foreach (var method in module.GetTypes().SelectMany(t => t.Methods).Where(m => m.HasBody))
            {
                if (!calls.TryGetValue(NameOf(method), out var called)) calls[NameOf(method)] = called = [];
                foreach (var machine in method.CustomAttributes.Where(a => a.AttributeType.Name.EndsWith("StateMachineAttribute", StringComparison.Ordinal)))
                    called.Add(((TypeReference)machine.ConstructorArguments[0].Value).FullName.Replace('/', '+') + "::MoveNext");
                foreach (var instruction in method.Body.Instructions)
                {
                    if (instruction.Operand is MethodReference target) called.Add(NameOf(target));
                    else if (instruction.OpCode == OpCodes.Ldstr && (string)instruction.Operand is "ip") called.Add("\"ip\"");
                }
            }
        }
        return calls;
    }

    private static string NameOf(MethodReference method) => $"{method.DeclaringType.GetElementType().FullName.Replace('/', '+')}::{method.Name}";
}
