namespace Piccolo.Rig.Stack;

/// <summary>The part that is taken away, to show that its absence is named.</summary>
public enum DemoBreak
{
    None,
    Dns,
    Ca,
    Relay,
    Podman,
}
