"""The DAG `contract_review`: a person decides what happens after a broken data contract."""

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param

DOC = """
`launches` triggers this DAG when `refine` found so many records against the contract that it published nothing.
Silver and Gold are as they were; Bronze has all the answers, so nothing is lost.

* **Approve** once the contract or the source is corrected: `launches` runs again at once and goes on where it stopped.
  With `accept_broken` it puts the records that break a rule into quarantine, however many, and publishes the others.
* **Reject** to leave it at that: the next scheduled run tries again.
"""

with DAG(
    dag_id="contract_review",
    dag_display_name="launches: contract review",
    description="A person decides what happens after a broken data contract",
    doc_md=DOC,
    schedule=None,
    max_active_runs=1,
    tags=["launchlake"],
    default_args={"owner": "launchlake"},
    # The form's answer is passed on as the boolean that it is.
    render_template_as_native_obj=True,
) as dag:
    review = ApprovalOperator(
        task_id="review",
        doc_md=DOC,
        subject="A data contract is broken: run again?",
        body="`refine` of run `{{ dag_run.conf.get('run_id', '') }}` published nothing:\n\n"
        "> {{ dag_run.conf.get('error', 'no reason was given') }}\n" + DOC,
        params={
            "accept_broken": Param(False, type="boolean", title="Put the broken records aside, publish the others")
        },
    )
    run_again = TriggerDagRunOperator(
        task_id="run_again",
        doc_md="Starts the DAG `launches`.",
        trigger_dag_id="launches",
        conf={"accept_broken": "{{ ti.xcom_pull('review')['params_input'].get('accept_broken', False) }}"},
        note="approved in contract_review",
    )
    review >> run_again
