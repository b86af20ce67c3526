namespace Piccolo.Rig.Stack;

/// <summary>In what a stack differs from the demo's.</summary>
/// <param name="Settings">More settings of the appliance.</param>
/// <param name="Names">The names that the appliance alone can resolve; null leaves it the machine's.</param>
public sealed record StackShape(Func<DemoStack, IReadOnlyDictionary<string, string>> Settings, PrivateNames? Names)
{
    public static readonly StackShape Plain = new(_ => new Dictionary<string, string>(), null);
}
