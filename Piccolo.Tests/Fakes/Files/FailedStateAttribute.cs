using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;
using Piccolo.Tests.Fakes.Files;

[assembly: FailedState]

namespace Piccolo.Tests.Fakes.Files;

/// <summary>On the assembly: runs after every test and its tear-down.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class FailedStateAttribute : TestActionAttribute
{
    public override ActionTargets Targets => ActionTargets.Test;

    public override void AfterTest(ITest test) => FailedState.EndOf(test, TestExecutionContext.CurrentContext.CurrentResult);
}
